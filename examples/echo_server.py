import asyncio
import signal
import sys

PORT, CLIENTS, PATIENCE = [float(text) for text in sys.argv[1:]] + [0, 500, 300][len(sys.argv) - 1:]


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
    server = await asyncio.start_server(lambda reader, writer: echo(places, reader, writer), "127.0.0.1", int(PORT))
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
