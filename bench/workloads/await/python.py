import sys

import bench

DEPTH = 1000
sys.setrecursionlimit(10 * DEPTH)


async def next_of(value):
    return value + 1


async def child(n):
    total = 0
    for i in range(n):
        total += await next_of(i & 7)
    return total


async def recurse(below):
    if below == 0:
        return 0
    return await recurse(below - 1) + 1


async def deep(n):
    total = 0
    for _ in range(0, n, DEPTH):
        total += await recurse(DEPTH)
    return total


bench.main(child=child, deep=deep)
