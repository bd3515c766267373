# wait_for bounds a single await: the result if it comes in time, else TimeoutError.
import asyncio


async def eternity():
    await asyncio.sleep(3600)
    print("never printed")


async def soon():
    await asyncio.sleep(0.01)
    return "on time"


async def main():
    print(await asyncio.wait_for(soon(), timeout=1))
    print(await asyncio.wait_for(soon(), timeout=None))
    try:
        await asyncio.wait_for(eternity(), timeout=0.05)
    except TimeoutError:
        print("timeout!")


asyncio.run(main())
