import asyncio

import bench

count = 0


async def nap():
    global count
    count += 1
    await asyncio.sleep(3600)


async def wait_for(event):
    global count
    count += 1
    await event.wait()


async def park(n, make):
    tasks = {asyncio.create_task(make()) for _ in range(n)}
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    bench.stop_clock()
    bench.finish(len(tasks), count)


async def sleep(n):
    await park(n, nap)


async def event(n):
    never = asyncio.Event()
    await park(n, lambda: wait_for(never))


bench.main(sleep=sleep, event=event)
