# Every task knows its name, and the loop knows all tasks that have not finished.
import asyncio


async def nap(delay):
    print("hello from", asyncio.current_task().get_name())
    await asyncio.sleep(delay)


def print_alive():
    print("alive:", " ".join(sorted(task.get_name() for task in asyncio.all_tasks())))


async def main():
    asyncio.current_task().set_name("main")
    blue = asyncio.create_task(nap(0.02), name="blue")
    red = asyncio.create_task(nap(0.04), name="red")
    print_alive()
    await blue
    print_alive()
    await red
    print_alive()


asyncio.run(main())
