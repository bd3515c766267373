# Fire and forget, done properly: a set holds the running tasks, each leaves it when it is done.
import asyncio


async def send(number):
    await asyncio.sleep(0.02 * number)
    print("sent", number)


async def main():
    background = set()
    for number in range(1, 4):
        task = asyncio.create_task(send(number))
        background.add(task)
        task.add_done_callback(background.discard)
    print("in the background:", len(background))
    await asyncio.sleep(0.03)
    print("in the background:", len(background))
    await asyncio.wait(background)
    print("in the background:", len(background))


asyncio.run(main())
