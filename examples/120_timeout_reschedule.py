# A deadline may be set, moved or taken away after the block has begun; expired() tells the end.
import asyncio


async def main():
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(None)  # the right time is not known yet
    try:
        async with limit:
            print("no deadline:", "yes" if limit.when() is None else "no")
            await asyncio.sleep(0.02)
            limit.reschedule(loop.time() + 0.03)
            print("a deadline is set")
            limit.reschedule(limit.when() + 0.03)
            print("and moved")
            await asyncio.sleep(0.04)
            print("the old deadline has passed")
            await asyncio.sleep(3600)
    except TimeoutError:
        pass
    print("expired:", "yes" if limit.expired() else "no")


asyncio.run(main())
