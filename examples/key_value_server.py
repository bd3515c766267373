import asyncio
import signal
import sys

entries = {}
timers = {}


def set_expiry(key, timer):
    if key in timers:
        timers.pop(key).cancel()
    if timer:
        timers[key] = timer


def expire(key):
    del entries[key], timers[key]


def answer(line):
    command, _, rest = line.partition(" ")
    key, _, rest = rest.partition(" ")
    if not key:
        return "ERR a command and a key, please"
    loop = asyncio.get_running_loop()
    match command:
        case "SET":
            set_expiry(key, None)
            entries[key] = rest
            return "OK"
        case "GET":
            return entries.get(key, "(nil)")
        case "DEL":
            set_expiry(key, None)
            return "1" if entries.pop(key, None) is not None else "0"
        case "EXPIRE":
            try:
                seconds = float(rest)
            except ValueError:
                return "ERR not a number of seconds"
            if not 0 <= seconds < 1e9:
                return "ERR not a number of seconds"
            if key not in entries:
                return "0"
            set_expiry(key, loop.call_later(seconds, expire, key))
            return "1"
        case "TTL":
            if key not in entries:
                return "-2"
            return str(round(timers[key].when() - loop.time())) if key in timers else "-1"
    return f"ERR unknown command {command}"


async def serve(reader, writer):
    try:
        async for line in reader:
            line = line.decode(errors="surrogateescape").rstrip("\r\n")
            if line == "QUIT":
                break
            writer.write(f"{answer(line)}\n".encode(errors="surrogateescape"))
            await writer.drain()
    except ConnectionError:
        pass
    except ValueError:
        writer.write(b"ERR line too long\n")
    writer.close()


async def main(port):
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    self = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.cancel)
    print(f"serving on {server.sockets[0].getsockname()!r}")
    try:
        await server.serve_forever()
    except asyncio.CancelledError:
        pass


sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
