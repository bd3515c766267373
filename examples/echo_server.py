import asyncio
import signal
import sys


async def echo(reader, writer):
    peer = writer.get_extra_info("peername")
    print(f"{peer!r}: hello")
    total = 0
    try:
        while data := await reader.read(65536):
            total += len(data)
            writer.write(data)
            await writer.drain()
        print(f"{peer!r}: goodbye after {total} bytes")
    except ConnectionError as error:
        print(f"{peer!r}: {error}")
    writer.close()


async def main(port):
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    self = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.cancel)
    print(f"serving on {server.sockets[0].getsockname()!r}")
    try:
        await server.serve_forever()
    except asyncio.CancelledError:
        print("closed")


sys.stdout.reconfigure(line_buffering=True)
try:
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
except KeyboardInterrupt:
    sys.exit(130)
except OSError as error:
    sys.exit(str(error))
