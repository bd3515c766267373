import asyncio

import bench

BATCH = 1000


async def child(value):
    return value + 1


async def group(n):
    total = 0
    for _ in range(0, n, BATCH):
        async with asyncio.TaskGroup() as tasks:
            children = [tasks.create_task(child(i)) for i in range(BATCH)]
        total += sum(task.result() for task in children)
    return total


async def gather(n):
    total = 0
    for _ in range(0, n, BATCH):
        total += sum(await asyncio.gather(*[child(i) for i in range(BATCH)]))
    return total


bench.main(group=group, gather=gather)
