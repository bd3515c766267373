# A SOCKS5 proxy (RFC 1928) that connects and relays, asked by clients of its own.
import asyncio
import contextlib
import enum
import socket
import struct

VERSION, NO_PASSWORD, CONNECT, BIND, IPV4, NAME, IPV6 = 5, 0, 1, 2, 1, 3, 4


class Reply(enum.IntEnum):
    GRANTED, FAILED, NOT_ALLOWED, NO_NETWORK, NO_HOST, REFUSED, TTL, NO_SUCH_COMMAND, NO_SUCH_ADDRESS = range(9)


class ProxyError(Exception):
    def __init__(self, reply):
        super().__init__(f"{reply.name} ({reply})")
        self.reply = reply


async def read_address(reader):
    kind, = await reader.readexactly(1)
    if kind == IPV4:
        host = socket.inet_ntop(socket.AF_INET, await reader.readexactly(4))
    elif kind == IPV6:
        host = socket.inet_ntop(socket.AF_INET6, await reader.readexactly(16))
    elif kind == NAME:
        length, = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode("ascii")
    else:
        raise ProxyError(Reply.NO_SUCH_ADDRESS)
    port, = struct.unpack("!H", await reader.readexactly(2))
    return host, port


async def open_upstream(reader, writer):
    version, methods = struct.unpack("!BB", await reader.readexactly(2))
    await reader.readexactly(methods)
    writer.write(struct.pack("!BB", VERSION, NO_PASSWORD))
    version, command, _ = struct.unpack("!BBB", await reader.readexactly(3))
    host, port = await read_address(reader)
    if command != CONNECT:
        raise ProxyError(Reply.NO_SUCH_COMMAND)
    try:
        return await asyncio.open_connection(host, port)
    except ConnectionRefusedError as error:
        raise ProxyError(Reply.REFUSED) from error
    except OSError as error:
        raise ProxyError(Reply.NO_HOST if isinstance(error, socket.gaierror) else Reply.FAILED) from error


def reply(code):
    return struct.pack("!BBBB4sH", VERSION, code, 0, IPV4, bytes(4), 0)


async def copy(reader, writer):
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def serve(reader, writer):
    try:
        async with asyncio.timeout(5):
            upstream_reader, upstream_writer = await open_upstream(reader, writer)
        writer.write(reply(Reply.GRANTED))
        try:
            await asyncio.gather(copy(reader, upstream_writer), copy(upstream_reader, writer))
        finally:
            upstream_writer.close()
    except ProxyError as error:
        print("proxy:", error)
        writer.write(reply(error.reply))
    except asyncio.IncompleteReadError as error:
        print(f"proxy: the end came after {len(error.partial)} of {error.expected} bytes")
    except TimeoutError:
        print("proxy: a client was silent")
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def shout(reader, writer):
    writer.write((await reader.read()).upper())
    await writer.drain()
    writer.close()


async def ask(proxy, host, port, text, command=CONNECT):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy)
    writer.write(struct.pack("!BBB", VERSION, 1, NO_PASSWORD))
    await reader.readexactly(2)
    writer.write(struct.pack("!BBBBB", VERSION, command, 0, NAME, len(host)) + host.encode() + struct.pack("!H", port))
    _, code, _, _, _, _ = struct.unpack("!BBBB4sH", await reader.readexactly(10))
    if code == Reply.GRANTED:
        writer.write(text.encode())
        writer.write_eof()
        print("client:", (await reader.read()).decode())
    else:
        print("client:", Reply(code).name)
    writer.close()
    await writer.wait_closed()


def port_of(server):
    return server.sockets[0].getsockname()[1]


async def main():
    async with await asyncio.start_server(shout, "127.0.0.1", 0) as target, \
               await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        await ask(port_of(proxy), "127.0.0.1", port_of(target), "hello by number")
        await ask(port_of(proxy), "localhost", port_of(target), "hello by name")
        await ask(port_of(proxy), "127.0.0.1", port_of(target), "", BIND)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            await ask(port_of(proxy), "127.0.0.1", nobody.getsockname()[1], "")
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(proxy))
        writer.write(b"\5")
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)


asyncio.run(main())
