# needs 3.12
# Eager tasks begin inside create_task: one that finds its answer in the cache never visits the loop.
import asyncio

cache = {}


async def look_up(key):
    if key not in cache:
        print("measuring", key)
        await asyncio.sleep(0.02)
        cache[key] = len(key)
    return cache[key]


async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    for _ in range(2):
        task = asyncio.create_task(look_up("plum"))
        print("finished at once" if task.done() else "has to wait")
        print("got", await task)


asyncio.run(main())
