# Ending a task group early: add a task that raises an exception made for it, and ignore that one.
import asyncio


class TerminateTaskGroup(Exception):
    pass


async def force_terminate_task_group():
    raise TerminateTaskGroup


async def job(number, delay):
    print("job", number, "starts")
    await asyncio.sleep(delay)
    print("job", number, "is done")


async def main():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(job(1, 0.02))
            tg.create_task(job(2, 3600))
            await asyncio.sleep(0.05)
            tg.create_task(force_terminate_task_group())
    except* TerminateTaskGroup:
        print("terminated")


asyncio.run(main())
