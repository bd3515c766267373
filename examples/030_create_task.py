# A task runs beside its creator: two waits take the time of the longer one.
import asyncio


async def say_after(delay, words):
    await asyncio.sleep(delay)
    print(words)


async def main():
    loop = asyncio.get_running_loop()
    started = loop.time()
    long = asyncio.create_task(say_after(0.2, "the long nap is over"))
    short = asyncio.create_task(say_after(0.1, "the short nap is over"))
    print("both are asleep")
    await long
    await short
    print("took", round((loop.time() - started) / 0.1), "tenths of a second")


asyncio.run(main())
