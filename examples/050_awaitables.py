# What can be awaited: a coroutine (runs now), a task (runs already), a future (somebody will fill it).
import asyncio


async def nested():
    return 42


async def main():
    coro = nested()  # nothing has run yet
    print("coroutine:", await coro)

    task = asyncio.create_task(nested())
    print("task done before the await:", "yes" if task.done() else "no")
    print("task:", await task)
    print("task again:", await task)

    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_later(0.02, future.set_result, "the answer")
    print("future:", await future)


asyncio.run(main())
