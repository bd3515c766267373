# The smallest program: say something, wait without blocking, say something more.
import asyncio


async def main():
    print("hello ...")
    await asyncio.sleep(0.05)
    print("... world")


asyncio.run(main())
