import asyncio
import signal
import sys


class Echo(asyncio.DatagramProtocol):
    paused = False

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if not self.paused:
            self.transport.sendto(data, addr)

    def error_received(self, exc):
        print(f"error: {exc}")

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False


async def main():
    loop = asyncio.get_running_loop()
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", port))
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    print(f"serving on {transport.get_extra_info('sockname')!r}")
    await stop.wait()
    transport.close()
    print("closed")


sys.stdout.reconfigure(line_buffering=True)
try:
    asyncio.run(main())
except OSError as error:
    sys.exit(str(error))
