"""streams: a StreamReader and a StreamWriter; protocol, buffered: a Protocol, a BufferedProtocol; sockets: the loop's
sock_recv_into() and sock_sendall()."""
import asyncio
import resource
import socket
import sys

import bench  # noqa: F401, chooses the loop


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def streams():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=1024)
    print(f"port={server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    buffer = memoryview(bytearray(65536))

    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, size):
        self.transport.write(bytes(self.buffer[:size]))  # it may have to be kept, and the buffer is for all


async def protocols(factory):
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, backlog=1024)
    print(f"port={server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def echo_socket(loop, connection):
    buffer = memoryview(bytearray(65536))
    with connection:
        while size := await loop.sock_recv_into(connection, buffer):
            await loop.sock_sendall(connection, buffer[:size])


async def sockets():
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    print(f"port={listener.getsockname()[1]}", flush=True)
    tasks = set()
    while True:
        connection, _ = await loop.sock_accept(listener)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        task = asyncio.create_task(echo_socket(loop, connection))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
way = sys.argv[1]
if way in ("protocol", "buffered"):
    asyncio.run(protocols(Echo if way == "protocol" else BufferedEcho))
else:
    asyncio.run(sockets() if way == "sockets" else streams())
