# shield: cancelling who waits does not cancel what it waits for.
import asyncio


async def save():
    await asyncio.sleep(0.06)
    print("save: on disk")
    return 17


async def request(saving):
    try:
        await asyncio.shield(saving)
    except asyncio.CancelledError:
        print("request: cancelled, the save goes on")
        raise


async def main():
    saving = asyncio.create_task(save())
    visitor = asyncio.create_task(request(saving))
    await asyncio.sleep(0.02)
    visitor.cancel()
    await asyncio.wait([visitor])
    print("main: request cancelled:", "yes" if visitor.cancelled() else "no")
    print("main: saved", await saving, "bytes")


asyncio.run(main())
