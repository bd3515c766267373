# timeout_at takes a moment, not a length: several blocks can share one deadline.
import asyncio


async def step(number):
    await asyncio.sleep(0.04)
    print("step", number)


async def main():
    deadline = asyncio.get_running_loop().time() + 0.11
    for number in range(1, 10):
        try:
            async with asyncio.timeout_at(deadline):
                await step(number)
        except TimeoutError:
            print("no time for step", number)
            break


asyncio.run(main())
