# A kitchen and two waiters share a counter with room for two dishes. put() waits while it is full, get() while it is
# empty; shutdown() says that no more will come.
# needs 3.13
import asyncio


async def cook(counter):
    for dish in ["soup", "pasta", "salad", "cake", "tea"]:
        await counter.put(dish)
        print(f"  {dish} is ready, {counter.qsize()} on the counter")
    counter.shutdown()


async def wait_at_tables(name, counter):
    try:
        while True:
            dish = await counter.get()
            print(f"{name} serves the {dish}")
            await asyncio.sleep(0)
    except asyncio.QueueShutDown:
        print(f"{name} goes home")


async def main():
    counter = asyncio.Queue(maxsize=2)
    async with asyncio.TaskGroup() as group:
        group.create_task(cook(counter))
        for name in ["Ann", "Bob"]:
            group.create_task(wait_at_tables(name, counter))
    print("closed:", counter)


asyncio.run(main())
