import asyncio

import bench


async def produce(queue, n):
    for i in range(n):
        await queue.put(i)


async def consume(queue, n):
    total = 0
    for _ in range(n):
        total += await queue.get()
    return total


async def hand_over(n, size):
    queue = asyncio.Queue(size)
    producer = asyncio.create_task(produce(queue, n))
    consumer = asyncio.create_task(consume(queue, n))
    await producer
    return await consumer


bench.main(size_1=lambda n: hand_over(n, 1), size_1024=lambda n: hand_over(n, 1024))
