import asyncio

import bench

CALLBACKS = 1000


def repeat(n):
    loop = asyncio.new_event_loop()
    count = 0

    def called(left):
        nonlocal count
        count += 1
        if left > 1:
            loop.call_soon(called, left - 1)
        elif count % CALLBACKS == 0:
            loop.stop()

    for _ in range(CALLBACKS):
        loop.call_soon(called, n // CALLBACKS)
    loop.run_forever()
    return count


bench.main(repeat=repeat)
