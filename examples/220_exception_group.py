# When children of a task group fail, the rest are cancelled and all errors come out as one group.
import asyncio


class BadInput(Exception):
    pass


class Offline(Exception):
    pass


async def fail(error):
    raise error


async def healthy():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("healthy: cancelled because others failed")
        raise


async def main():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(healthy())
            tg.create_task(fail(BadInput("no such city")))
            tg.create_task(fail(Offline("no route")))
            tg.create_task(fail(BadInput("no such street")))
    except* BadInput as group:
        for error in group.exceptions:
            print("bad input:", error)
    except* Offline as group:
        print("offline:", group.exceptions[0])


asyncio.run(main())
