# A client of Redis' protocol (RESP) whose commands are pipelined: replies come in the order of the commands, so a queue
# of futures is all that it takes. The server in it knows a few commands.
import asyncio
import collections
import contextlib


class ReplyError(Exception):
    """The server said no."""


async def read_reply(reader):
    line = await reader.readuntil(b"\r\n")
    kind, rest = line[:1], line[1:-2]
    match kind:
        case b"+":
            return rest.decode()
        case b"-":
            return ReplyError(rest.decode())
        case b":":
            return int(rest)
        case b"$":
            if rest == b"-1":
                return None
            return (await reader.readexactly(int(rest) + 2))[:-2].decode()
        case b"*":
            return [await read_reply(reader) for _ in range(int(rest))]
    raise ValueError(f"no reply begins with {kind!r}")


def encode(*words):
    words = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Client:
    def __init__(self, host, port):
        self.host, self.port = host, port
        self.waiting = collections.deque()

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        self.receiver = asyncio.create_task(self.receive(), name="receiver")
        return self

    async def __aexit__(self, *error):
        self.receiver.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.receiver
        self.writer.close()

    async def receive(self):
        try:
            while True:
                reply = await read_reply(self.reader)
                future = self.waiting.popleft()
                if future.done():  # who asked waits no more, but the reply was on its way
                    continue
                if isinstance(reply, ReplyError):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except (OSError, EOFError) as error:
            for future in self.waiting:
                if not future.done():
                    future.set_exception(ConnectionResetError(f"no reply: {error}"))

    def call(self, *words):
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        self.writer.write(encode(*words))
        return future


async def serve(reader, writer):
    store = {}
    with contextlib.suppress(EOFError):
        while True:
            match await read_reply(reader):
                case ["SET", key, value]:
                    store[key] = value
                    writer.write(b"+OK\r\n")
                case ["GET", key]:
                    value = store.get(key)
                    writer.write(b"$-1\r\n" if value is None else f"${len(value)}\r\n{value}\r\n".encode())
                case ["INCR", key]:
                    try:
                        store[key] = str(int(store.get(key, 0)) + 1)
                        writer.write(f":{store[key]}\r\n".encode())
                    except ValueError:
                        writer.write(b"-ERR not a number\r\n")
                case ["KEYS"]:
                    writer.write(encode(*sorted(store)))
                case ["WAIT", seconds]:
                    await asyncio.sleep(float(seconds))
                    writer.write(b"+OK\r\n")
                case ["QUIT"]:
                    break
                case [name, *_]:
                    writer.write(f"-ERR unknown command '{name}'\r\n".encode())
    writer.close()


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        async with Client("127.0.0.1", server.sockets[0].getsockname()[1]) as redis:
            print(await redis.call("SET", "greeting", "hello\r\nworld"))
            print(await asyncio.gather(redis.call("GET", "greeting"), redis.call("GET", "nothing"),
                                       *[redis.call("INCR", "visits") for _ in range(3)]))
            print(await redis.call("KEYS"))
            for words in (("INCR", "greeting"), ("SHUTDOWN",)):
                try:
                    await redis.call(*words)
                except ReplyError as error:
                    print("refused:", error)
            try:
                await asyncio.wait_for(redis.call("WAIT", 0.1), 0.01)
            except TimeoutError:
                print("too slow, but the next reply is for the next command:", await redis.call("INCR", "visits"))
            asked = [redis.call("QUIT"), redis.call("GET", "visits")]
            print(await asyncio.gather(*asked, return_exceptions=True))
            print("receiver is done:", redis.receiver.done())


asyncio.run(main())
