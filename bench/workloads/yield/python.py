import asyncio

import bench

TASKS = 1000
count = 0


async def give_way(times):
    global count
    for _ in range(times):
        await asyncio.sleep(0)
        count += 1


async def one(n):
    timer = asyncio.get_running_loop().call_later(3600, print)
    await asyncio.create_task(give_way(n))
    timer.cancel()
    return count


async def many(n):
    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(give_way(n // TASKS))
    return count


bench.main(one=one, many=many)
