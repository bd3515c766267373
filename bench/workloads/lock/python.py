import asyncio

import bench

TASKS = 100
count = 0


async def take_turns(lock, times):
    global count
    for _ in range(times):
        await lock.acquire()
        count += 1
        lock.release()


async def hand_over(n):
    lock = asyncio.Lock()
    await lock.acquire()
    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(take_turns(lock, n // TASKS))
        await asyncio.sleep(0)
        lock.release()
    return count


bench.main(hand_over=hand_over)
