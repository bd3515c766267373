# Three asynchronous generators in a row: each item is made when the last one asks for it, and whoever stops asking closes
# the first one, whose clean-up waits for something, too.
import asyncio


async def temperatures():
    print("sensor on")
    try:
        for celsius in [18, 20, 25, 19, 31, 33, 22, 20]:
            await asyncio.sleep(0)
            yield celsius
    finally:
        await asyncio.sleep(0)
        print("sensor off")


async def in_fahrenheit(source):
    async for celsius in source:
        yield celsius * 9 / 5 + 32


async def averages(source, size):
    batch = []
    async for value in source:
        batch.append(value)
        if len(batch) == size:
            yield sum(batch) / size
            batch = []


async def main():
    async for average in averages(in_fahrenheit(temperatures()), 2):
        print(f"average: {average:.1f}")

    sensor = temperatures()
    async for average in averages(in_fahrenheit(sensor), 2):
        print(f"average: {average:.1f}")
        if average > 70:
            print("too warm, that will do")
            break
    await sensor.aclose()
    print("closed")


asyncio.run(main())
