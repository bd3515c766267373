# run_coroutine_threadsafe: another thread hands a coroutine to the loop and blocks for its result.
import asyncio


async def add(a, b, delay):
    await asyncio.sleep(delay)
    return a + b


def calculate(loop):  # runs on a thread of its own, where nothing can be awaited
    quick = asyncio.run_coroutine_threadsafe(add(40, 2, 0.02), loop)
    print("quick:", quick.result(timeout=5))

    slow = asyncio.run_coroutine_threadsafe(add(1, 1, 3600), loop)
    try:
        slow.result(timeout=0.05)
    except TimeoutError:
        print("slow: took too long, cancelling it")
        slow.cancel()


async def main():
    await asyncio.to_thread(calculate, asyncio.get_running_loop())
    print("the thread is done")


asyncio.run(main())
