import asyncio
import signal
import sys

PORT, CLIENTS, MEGABYTES, PATIENCE = [float(text) for text in sys.argv[1:]] + [0, 500, 100, 600][len(sys.argv) - 1:]

entries = {}
timers = {}
used = 0


def cost(key, value):
    return len(key) + len(value) + 256


def erase(key):
    global used
    if key in timers:
        timers.pop(key).cancel()
    used -= cost(key, entries.pop(key))


def set_value(key, value):
    global used
    less = cost(key, entries[key]) if key in entries else 0
    if used - less + cost(key, value) > MEGABYTES * 1e6:
        return False
    if key in entries:
        erase(key)
    entries[key] = value
    used += cost(key, value)
    return True


def expire_in(seconds, key):
    timer = asyncio.get_running_loop().call_later(seconds, erase, key)
    if key in timers:
        timers[key].cancel()
    timers[key] = timer


def answer(line):
    command, _, rest = line.partition(" ")
    key, _, rest = rest.partition(" ")
    if not key:
        return "ERR a command and a key, please"
    match command:
        case "SET":
            return "OK" if set_value(key, rest) else "ERR no room"
        case "GET":
            return entries.get(key, "(nil)")
        case "DEL":
            exists = key in entries
            if exists:
                erase(key)
            return "1" if exists else "0"
        case "EXPIRE":
            try:
                seconds = float(rest)
            except ValueError:
                return "ERR not a number of seconds"
            if not 0 <= seconds < 1e9:
                return "ERR not a number of seconds"
            if key not in entries:
                return "0"
            expire_in(seconds, key)
            return "1"
        case "TTL":
            if key not in entries:
                return "-2"
            return str(round(timers[key].when() - asyncio.get_running_loop().time())) if key in timers else "-1"
    return f"ERR unknown command {command}"


async def serve(places, reader, writer):
    if places.locked():
        writer.write(b"ERR no place is free\n")
        writer.close()
        return
    async with places:
        try:
            while line := await asyncio.wait_for(reader.readline(), PATIENCE):
                if not line.endswith(b"\n"):
                    break  # a command that was cut off is none
                line = line.decode(errors="surrogateescape").rstrip("\r\n")
                if line == "QUIT":
                    break
                writer.write(f"{answer(line)}\n".encode(errors="surrogateescape"))
                await asyncio.wait_for(writer.drain(), PATIENCE)
        except (OSError, asyncio.TimeoutError):
            pass
        except ValueError:
            writer.write(b"ERR line too long\n")
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), PATIENCE)
        except (OSError, asyncio.TimeoutError):
            writer.transport.abort()


async def main():
    places = asyncio.Semaphore(int(CLIENTS))
    server = await asyncio.start_server(lambda reader, writer: serve(places, reader, writer), "127.0.0.1", int(PORT))
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    print(f"serving on {server.sockets[0].getsockname()!r}")
    await stop.wait()
    server.close()
    print("closed")


sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main())
