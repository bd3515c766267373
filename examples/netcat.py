# Sends standard input to a server by TCP, and prints what comes back: a small netcat.    netcat.py HOST PORT
import asyncio
import sys


class File:
    """What asyncio refuses: a file, which never has to be waited for."""

    def __init__(self, file):
        self.file = file

    async def read(self, size):
        return self.file.read1(size)

    def write(self, data):
        self.file.write(data)
        self.file.flush()

    async def drain(self):
        pass

    def close(self):
        pass

    async def wait_closed(self):
        pass


async def stdin_stream():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    except ValueError:
        return File(sys.stdin.buffer)
    return reader


async def stdout_stream():
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), sys.stdout)
    except ValueError:
        return File(sys.stdout.buffer)
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def copy(reader, writer):
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()


async def send_input(server):
    await copy(await stdin_stream(), server)
    server.write_eof()


async def print_answer(server):
    output = await stdout_stream()
    await copy(server, output)
    output.close()
    await output.wait_closed()


async def talk(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    sending = asyncio.create_task(send_input(writer))
    await print_answer(reader)
    sending.cancel()
    writer.close()


def main():
    if len(sys.argv) != 3:
        sys.exit(2)
    try:
        asyncio.run(talk(*sys.argv[1:]))
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
