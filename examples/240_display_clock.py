# normalise: \d\d:\d\d:\d\d => HH:MM:SS
# Doing something at intervals until a deadline on the loop's own clock.
import asyncio
import time


async def display_clock():
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.1
    while loop.time() < end:
        print("it is", time.strftime("%H:%M:%S"))
        await asyncio.sleep(0.04)
    print("enough")


asyncio.run(display_clock())
