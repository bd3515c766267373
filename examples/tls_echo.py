# An echo server by TLS, and a client that trusts its certificate and nobody else's.

import asyncio
import ssl
import sys


async def echo(reader, writer):
    async for line in reader:
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(port, cafile, name):
    context = ssl.create_default_context(cafile=cafile)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        tls = writer.get_extra_info("ssl_object")
        print(f"{name} is {tls.getpeercert()['subject'][0][0][1]}, by {tls.version()}")
        writer.write(b"hello\n")
        line = await reader.readline()
        print(line.decode(), end="")
        writer.close()
        await writer.wait_closed()
    except ssl.SSLCertVerificationError as error:
        print(f"{name} is somebody else: {error.reason}")


async def amain(certfile, keyfile):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certfile, keyfile)
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    await ask(port, certfile, "localhost")
    await ask(port, certfile, "example.org")
    server.close()
    await server.wait_closed()


asyncio.run(amain(sys.argv[1], sys.argv[2]))
