"""Child processes: one after the other, also from a large parent, 64 at once, and bytes through one."""
import asyncio

import bench


async def spawn(n):
    good = 0
    for _ in range(n):
        child = await asyncio.create_subprocess_exec("/bin/true")
        good += await child.wait() == 0
    return good


async def spawn_64(n):
    return sum(await asyncio.gather(*(spawn(n // 64) for _ in range(64))))


async def copy(mebibytes):
    child = await asyncio.create_subprocess_exec("/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    piece = b"x" * 65536

    async def write():
        for _ in range(mebibytes * 16):
            child.stdin.write(piece)
            await child.stdin.drain()
        child.stdin.close()
    writing = asyncio.create_task(write())
    received = 0
    while data := await child.stdout.read(65536):
        received += len(data)
    await writing
    await child.wait()
    return received


async def large(n):
    memory = bytearray(b"x") * bench.LARGE
    bench.start_clock()
    good = await spawn(n)
    bench.stop_clock()
    assert len(memory) == bench.LARGE
    return good


bench.main(one=spawn, large=large, many=spawn_64, bytes=copy)
