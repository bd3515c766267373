"""Copies standard input to standard output."""
import asyncio
import sys

import bench  # noqa: F401, chooses the loop


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    while data := await reader.read(262_144):
        writer.write(data)
        await writer.drain()
    while transport.get_write_buffer_size():
        await asyncio.sleep(0)


asyncio.run(main())
