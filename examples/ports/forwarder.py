# Forwards a port to another, no faster than so many bytes in a second: protocols on both sides that hand on what comes in
# the pass in which it came, hold each other up, and end in halves as the connections do.
import asyncio


class Bucket:
    """Tokens for bytes; it may go below zero, and tells how long that takes to make up for."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.tokens = rate, burst, burst
        self.loop = asyncio.get_running_loop()
        self.filled = self.loop.time()

    def take(self, count):
        now = self.loop.time()
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate) - count
        self.filled = now
        return max(0, -self.tokens / self.rate)


class Statistics:
    connections = delays = refused = 0


class Link:
    ends = 0  # how many of the two directions are over


class Side(asyncio.Protocol):
    def __init__(self, link, bucket, statistics):
        self.link, self.bucket, self.statistics = link, bucket, statistics
        self.transport = self.peer = self.timer = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.peer.write(data)
        if delay := self.bucket.take(len(data)):
            self.statistics.delays += 1
            self.transport.pause_reading()
            self.timer = asyncio.get_running_loop().call_later(delay, self.transport.resume_reading)

    def eof_received(self):
        self.peer.write_eof()
        self.link.ends += 1
        return self.link.ends < 2  # else it is closed

    def pause_writing(self):
        self.peer.pause_reading()

    def resume_writing(self):
        self.peer.resume_reading()

    def connection_lost(self, error):
        if self.timer:
            self.timer.cancel()
        if self.peer:
            self.peer.close()


class Accepted(Side):
    def __init__(self, bucket, statistics, port):
        super().__init__(Link(), bucket, statistics)
        self.port = port

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.pause_reading()
        self.task = asyncio.create_task(self.connect())

    async def connect(self):
        loop = asyncio.get_running_loop()
        try:
            self.peer, upstream = await loop.create_connection(
                lambda: Side(self.link, self.bucket, self.statistics), "127.0.0.1", self.port)
        except OSError:
            self.statistics.refused += 1
            self.transport.abort()
            return
        upstream.peer = self.transport
        self.statistics.connections += 1
        self.transport.resume_reading()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b" and that is all")
    writer.close()


async def ask(port, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


async def main():
    loop, statistics = asyncio.get_running_loop(), Statistics()
    target = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = target.sockets[0].getsockname()[1]
    bucket = Bucket(rate=300_000, burst=10_000)
    forwarder = await loop.create_server(lambda: Accepted(bucket, statistics, port), "127.0.0.1", 0)
    entrance = forwarder.sockets[0].getsockname()[1]
    async with forwarder:
        async with target:
            print((await ask(entrance, b"hello")).decode())
            began = loop.time()
            answers = await asyncio.gather(ask(entrance, b"a" * 20_000), ask(entrance, b"b" * 10_000))
            print([len(answer) for answer in answers], "not too fast:", loop.time() - began > 0.05)
        try:
            await ask(entrance, b"is anybody there?")
            print("nothing")
        except ConnectionResetError:
            print("reset")
    print(statistics.connections, statistics.refused, statistics.delays > 0)


asyncio.run(main())
