import asyncio

import bench


async def one():
    return 1


def run_and_close(n):
    return sum(asyncio.run(one()) for _ in range(n))


bench.main(run=run_and_close)
