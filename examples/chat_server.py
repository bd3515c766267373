import asyncio
import signal
import sys

guests = {}


def tell_all(text, but_not):
    for name, writer in guests.items():
        if name == but_not:
            continue
        writer.write(f"{text}\n".encode())
        if writer.transport.get_write_buffer_size() > 1_000_000:
            writer.transport.abort()


async def next_line(reader):
    return (await reader.readline()).decode(errors="replace").rstrip("\r\n")


async def ask_for_a_name(reader, writer):
    while not reader.at_eof():
        writer.write(b"Your name? ")
        name = await next_line(reader)
        if name and len(name) <= 20 and name not in guests:
            guests[name] = writer
            return name
        writer.write(b"That one is taken, empty or too long.\n")
    return ""


async def chat(reader, writer, name):
    here = sorted(guest for guest in guests if guest != name)
    writer.write(f"Hello {name}. Here: {' '.join(here) or 'nobody'}\n".encode())
    tell_all(f"* {name} comes in", name)
    while not reader.at_eof():
        line = await next_line(reader)
        if line:
            tell_all(f"{name}: {line}", name)
        await writer.drain()


async def serve_guest(reader, writer):
    name = ""
    try:
        name = await asyncio.wait_for(ask_for_a_name(reader, writer), 60)
        if name:
            await chat(reader, writer, name)
    except (OSError, ValueError):
        pass
    if guests.pop(name, None):
        tell_all(f"* {name} leaves", name)
    writer.close()


async def main(port):
    server = await asyncio.start_server(serve_guest, "127.0.0.1", port)
    self = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.cancel)
    print(f"serving on {server.sockets[0].getsockname()!r}")
    try:
        await server.serve_forever()
    except asyncio.CancelledError:
        pass


sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
