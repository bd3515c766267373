"""A server by TLS, over streams: echo, download, upload."""
import asyncio
import os
import resource
import ssl
import sys

import bench  # noqa: F401, chooses the loop

PIECE = b"x" * 65536


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def download(reader, writer):
    try:
        while True:
            writer.write(PIECE)
            await writer.drain()
            await asyncio.sleep(0)  # drain() alone never lets the loop tell that the client has gone
    except OSError:
        writer.transport.abort()


async def upload(reader, writer):
    while await reader.read(65536):
        pass
    writer.close()


async def main(way):
    folder = os.environ["BENCH_TLS"]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    server = await asyncio.start_server({"echo": echo, "download": download, "upload": upload}[way], "127.0.0.1", 0,
                                        backlog=1024, ssl=context)
    print(f"port={server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
asyncio.run(main(sys.argv[1]))
