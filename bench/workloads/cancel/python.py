import asyncio

import bench

cleaned_up = 0


async def nap():
    await asyncio.sleep(3600)


async def nap_and_clean_up():
    global cleaned_up
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        cleaned_up += 1
        raise


async def cancel_all(n, body, begun):
    tasks = [asyncio.create_task(body()) for _ in range(n)]
    if begun:
        await asyncio.sleep(0)
    bench.start_clock()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    bench.stop_clock()
    return cleaned_up if body is nap_and_clean_up else sum(task.cancelled() for task in tasks)


bench.main(
    begun=lambda n: cancel_all(n, nap, True),
    handled=lambda n: cancel_all(n, nap_and_clean_up, True),
    not_begun=lambda n: cancel_all(n, nap, False),
)
