"""echo: every datagram goes back. sink: every 64th is answered."""
import asyncio
import sys

import bench  # noqa: F401, chooses the loop


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


class Sink(asyncio.DatagramProtocol):
    received = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.received += 1
        if self.received % 64 == 0:
            self.transport.sendto(b"!", address)


async def serve(factory):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(factory, ("127.0.0.1", 0))
    print(f"port={transport.get_extra_info('sockname')[1]}", flush=True)
    await asyncio.Event().wait()


ways = {"echo": Echo, "sink": Sink}
if len(sys.argv) != 2 or sys.argv[1] not in ways:
    sys.stderr.write(f"usage: {sys.argv[0]} {'|'.join(ways)}\n")
    sys.exit(2)
asyncio.run(serve(ways[sys.argv[1]]))
