import asyncio
import threading

import bench


async def next_of(value):
    return value + 1


def round_trip(n):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    total = sum(asyncio.run_coroutine_threadsafe(next_of(0), loop).result() for _ in range(n))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    return total


def post(n):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    count = 0

    def called():
        nonlocal count
        count += 1
        if count == n:
            loop.stop()

    thread.start()
    for _ in range(n):
        loop.call_soon_threadsafe(called)
    thread.join()
    return count


bench.main(round_trip=round_trip, post=post)
