# A TaskGroup owns its tasks: leaving the block waits for all of them, so none is forgotten.
import asyncio


async def fetch(name, delay):
    await asyncio.sleep(delay)
    print("fetched", name)
    return len(name)


async def main():
    async with asyncio.TaskGroup() as tg:
        plum = tg.create_task(fetch("plum", 0.06))
        apple = tg.create_task(fetch("apple", 0.03))
        print("fetching")
    print("letters:", plum.result() + apple.result())


asyncio.run(main())
