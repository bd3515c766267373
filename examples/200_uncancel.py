# A task that swallows a cancellation says so with uncancel(), so that later timeouts work as usual.
import asyncio


async def stubborn():
    task = asyncio.current_task()
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("asked to stop, requests open:", task.cancelling())
        print("refused, requests open:", task.uncancel())
    try:
        async with asyncio.timeout(0.03):
            await asyncio.sleep(3600)
    except TimeoutError:
        print("a timeout of my own, requests open:", task.cancelling())
    return "finished in my own time"


async def main():
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0.03)
    task.cancel()
    print(await task)
    print("cancelled:", "yes" if task.cancelled() else "no")


asyncio.run(main())
