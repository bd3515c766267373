# Timeouts and cancellation nest: each block takes only the cancellation that it asked for itself.
import asyncio


async def make_request():
    await asyncio.sleep(3600)


async def worker():
    try:
        async with asyncio.timeout(0.03):
            await make_request()
    except TimeoutError:
        print("worker: request timed out, trying another server")
    try:
        async with asyncio.timeout(3600):
            await make_request()
    except TimeoutError:
        print("never printed: this cancellation is not the timeout's")
    print("never printed: the worker was cancelled")


async def main():
    try:
        async with asyncio.timeout(0.08):
            async with asyncio.TaskGroup() as tg:
                task = tg.create_task(worker())
    except TimeoutError:
        print("main: out of time")
    print("main: worker cancelled:", "yes" if task.cancelled() else "no")


asyncio.run(main())
