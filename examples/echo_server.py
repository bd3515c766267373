import argparse
import asyncio
import signal
import ssl
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("numbers", nargs="*", type=float)
arguments = parser.parse_args()
PORT, CLIENTS, PATIENCE = arguments.numbers + [0, 500, 300][len(arguments.numbers):]


async def echo(places, reader, writer):
    peer = writer.get_extra_info("peername")
    if places.locked():
        print(f"{peer!r}: no place is free")
        writer.close()
        return
    async with places:
        print(f"{peer!r}: hello")
        total = 0
        try:
            while data := await asyncio.wait_for(reader.read(65536), PATIENCE):
                total += len(data)
                writer.write(data)
                await asyncio.wait_for(writer.drain(), PATIENCE)
            print(f"{peer!r}: goodbye after {total} bytes")
        except asyncio.TimeoutError:
            print(f"{peer!r}: too slow")
        except OSError as error:
            print(f"{peer!r}: {error}")
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), PATIENCE)
        except (OSError, asyncio.TimeoutError):
            writer.transport.abort()


async def main():
    places = asyncio.Semaphore(int(CLIENTS))
    options = {}
    if arguments.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.cert, arguments.key)
        options = {"ssl": context, "ssl_handshake_timeout": PATIENCE, "ssl_shutdown_timeout": PATIENCE}
    server = await asyncio.start_server(lambda reader, writer: echo(places, reader, writer), "127.0.0.1", int(PORT),
                                        **options)
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    print(f"serving on {server.sockets[0].getsockname()!r}")
    await stop.wait()
    server.close()
    print("closed")


sys.stdout.reconfigure(line_buffering=True)
try:
    asyncio.run(main())
except OSError as error:
    sys.exit(str(error))
