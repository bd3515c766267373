# A barrier: cooks who start each course together. One who leaves breaks it for the others.
import asyncio


async def cook(name, barrier, seconds):
    for course in ("soup", "fish"):
        await asyncio.sleep(seconds)
        print(f"{name}: {course} is ready")
        async with barrier as position:
            if position == barrier.parties - 1:
                print(f"{name} was the last, {course} is served")


async def wait_in_vain(name, barrier):
    try:
        await barrier.wait()
    except asyncio.BrokenBarrierError as error:
        print(f"{name}: {error}")


async def main():
    barrier = asyncio.Barrier(3)
    async with asyncio.TaskGroup() as group:
        group.create_task(cook("Ada", barrier, 0.01))
        group.create_task(cook("Ben", barrier, 0.03))
        group.create_task(cook("Cleo", barrier, 0.05))

    async with asyncio.TaskGroup() as group:
        group.create_task(wait_in_vain("Ada", barrier))
        group.create_task(wait_in_vain("Ben", barrier))
        await asyncio.sleep(0.01)
        print("waiting:", barrier.n_waiting)
        await barrier.abort()
    print("broken:", barrier.broken)
    await barrier.reset()
    print("broken:", barrier.broken)


asyncio.run(main())
