import asyncio

import bench


async def block(n):
    count = 0
    for _ in range(n):
        async with asyncio.timeout(1):
            await asyncio.sleep(0)
            count += 1
    return count


bench.main(block=block)
