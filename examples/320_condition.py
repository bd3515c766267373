# A condition: readers wait for a table to be filled; a lock and an event beside it.
import asyncio


async def reader(name, condition, table, closing):
    async with condition:
        while True:
            await condition.wait_for(lambda: table or closing.is_set())
            if not table:
                print(f"{name} goes home")
                return
            print(f"{name} takes {table.pop(0)}")


async def main():
    lock = asyncio.Lock()
    condition = asyncio.Condition(lock)
    closing = asyncio.Event()
    table = []
    async with asyncio.TaskGroup() as readers:
        for name in ("Ada", "Ben"):
            readers.create_task(reader(name, condition, table, closing))
        for book in ("Emma", "Ulysses", "Faust"):
            await asyncio.sleep(0.01)
            async with lock:
                table.append(book)
                condition.notify()
        await asyncio.sleep(0.01)
        closing.set()
        async with condition:
            condition.notify_all()
    print("locked:", lock.locked())


asyncio.run(main())
