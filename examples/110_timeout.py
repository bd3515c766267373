# timeout bounds a whole block: what runs too long is cancelled inside it, TimeoutError comes out.
import asyncio


async def long_running_task():
    try:
        await asyncio.sleep(3600)
    finally:
        print("long_running_task: stopped")


async def main():
    try:
        async with asyncio.timeout(0.05):
            await asyncio.sleep(0.01)
            print("quick enough")
            await long_running_task()
            print("never printed")
    except TimeoutError:
        print("The long operation timed out, but we've handled it.")
    print("life goes on")


asyncio.run(main())
