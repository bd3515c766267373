import asyncio
import re
import signal
import socket
import sys

LONGEST_NAME = 20
LONGEST_LINE = 1000
MOST_UNREAD = 64 * 1024
MOST_TRIES = 5
PORT, GUESTS, FOR_A_NAME, SILENCE = [float(text) for text in sys.argv[1:]] + [0, 100, 60, 600][len(sys.argv) - 1:]

guests = {}


def tell_all(text, but_not):
    for name, writer in guests.items():
        if name == but_not or writer.is_closing():
            continue
        writer.write(f"{text}\n".encode())
        if writer.transport.get_write_buffer_size() > MOST_UNREAD:
            print(f"{name} does not read")
            writer.transport.abort()


async def next_line(reader):
    line = (await reader.readline()).decode(errors="replace").rstrip("\r\n")
    return re.sub(r"[\0-\x1f\x7f-\x9f]", "?", line)


def is_name(text):
    return 0 < len(text.encode()) <= LONGEST_NAME and not re.search(r"[ -,./:-@\[-^`{-~]", text)


async def ask_for_a_name(reader, writer):
    for _ in range(MOST_TRIES):
        if reader.at_eof():
            break
        writer.write(b"Your name? ")
        name = await next_line(reader)
        if is_name(name) and name not in guests:
            guests[name] = writer
            return name
        writer.write(b"That one is taken, empty, too long, or has odd characters.\n")
    return ""


async def chat(reader, writer, name):
    here = sorted(guest for guest in guests if guest != name)
    writer.write(f"Hello {name}. Here: {' '.join(here) or 'nobody'}\n".encode())
    tell_all(f"* {name} comes in", name)
    while not reader.at_eof():
        line = await asyncio.wait_for(next_line(reader), SILENCE)
        if line:
            tell_all(f"{name}: {line}", name)
        await asyncio.sleep(0.01)


async def serve_until_the_end(reader, writer):
    name = ""
    try:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_UNREAD)
        name = await asyncio.wait_for(ask_for_a_name(reader, writer), FOR_A_NAME)
        if name:
            await chat(reader, writer, name)
    except asyncio.TimeoutError:
        return name, "is silent"
    except OSError as error:
        return name, str(error)
    except ValueError:
        return name, "says too much in one line"
    finally:
        guests.pop(name, None)
    return name, "leaves"


async def serve_guest(places, reader, writer):
    if places.locked():
        writer.write(b"No place is free.\n")
        writer.close()
        return
    async with places:
        peer = writer.get_extra_info("peername")
        name, why = await serve_until_the_end(reader, writer)
        print(f"{peer!r} {name} {why}")
        if name:
            tell_all(f"* {name} leaves", name)
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), 5)
        except (OSError, asyncio.TimeoutError):
            writer.transport.abort()


async def main():
    places = asyncio.Semaphore(int(GUESTS))
    server = await asyncio.start_server(lambda reader, writer: serve_guest(places, reader, writer), "127.0.0.1",
                                        int(PORT), limit=LONGEST_LINE)
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    print(f"serving on {server.sockets[0].getsockname()!r}")
    await stop.wait()
    server.close()
    print("closed")


sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main())
