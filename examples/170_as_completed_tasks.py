# needs 3.13
# Iterated asynchronously, as_completed gives the tasks themselves, so one knows whose result it is.
import asyncio


async def connect(port, delay):
    await asyncio.sleep(delay)
    if port == 23:
        raise ConnectionError("refused")
    return port


async def main():
    tasks = [asyncio.create_task(connect(22, 0.06), name="ssh"),
             asyncio.create_task(connect(23, 0.02), name="telnet"),
             asyncio.create_task(connect(25, 0.04), name="smtp")]
    async for task in asyncio.as_completed(tasks):
        if task.exception():
            print(task.get_name(), "failed")
        else:
            print(task.get_name(), "answers on port", task.result())


asyncio.run(main())
