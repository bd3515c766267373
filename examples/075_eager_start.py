# needs 3.14
# eager_start makes a single task begin at once; its neighbours begin in the loop's next turn.
import asyncio


async def visit(name):
    print(name, "arrives")
    await asyncio.sleep(0)
    print(name, "leaves")


async def main():
    usual = asyncio.create_task(visit("usual"))
    eager = asyncio.create_task(visit("eager"), eager_start=True)
    print("both are created")
    await asyncio.gather(usual, eager)


asyncio.run(main())
