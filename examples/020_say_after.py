# Awaiting a coroutine runs it to its end before going on: two waits take the sum of their times.
import asyncio


async def say_after(delay, words):
    await asyncio.sleep(delay)
    print(words)


async def main():
    loop = asyncio.get_running_loop()
    started = loop.time()
    await say_after(0.1, "first I sleep")
    await say_after(0.2, "then I sleep again")
    print("took", round((loop.time() - started) / 0.1), "tenths of a second")


asyncio.run(main())
