import asyncio

import bench

count = 0


async def nap(delay):
    global count
    await asyncio.sleep(delay)
    count += 1


async def sleepers(n):
    random = bench.Random()
    async with asyncio.TaskGroup() as group:
        for _ in range(n):
            group.create_task(nap(random.below(1000) / 1000))
    return count


bench.main(sleepers=sleepers)
