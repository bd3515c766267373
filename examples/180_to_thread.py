# to_thread runs what blocks on a worker thread; the loop, and every other task, goes on meanwhile.
import asyncio
import time


def blocking_io():
    print("blocking_io begins")
    time.sleep(0.05)  # blocks its own thread only
    print("blocking_io ends")
    return 512


async def main():
    loop = asyncio.get_running_loop()
    started = loop.time()
    size, _ = await asyncio.gather(asyncio.to_thread(blocking_io), asyncio.sleep(0.1))
    print("read", size, "bytes")
    print("took", round((loop.time() - started) / 0.1), "tenth of a second")


asyncio.run(main())
