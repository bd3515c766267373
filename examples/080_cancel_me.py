# Cancelling raises CancelledError where the task waits: it can clean up, and lets the error pass.
import asyncio


async def cancel_me():
    print("cancel_me: going to sleep")
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("cancel_me: woken to die")
        raise
    finally:
        print("cancel_me: cleaned up")


async def main():
    task = asyncio.create_task(cancel_me())
    await asyncio.sleep(0.05)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("main: cancel_me is cancelled now")


asyncio.run(main())
