import asyncio
import signal
import struct
import sys
import time

FROM_1900_TO_1970 = 2_208_988_800
PACKET = struct.Struct("!BBBbII4sQQQQ")  # 48 bytes
CLIENT, SERVER = 3, 4


def ntp_now(offset):
    nanoseconds = time.time_ns() + int(offset * 1e9)
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return (seconds + FROM_1900_TO_1970 << 32 | (fraction << 32) // 1_000_000_000) & 0xFFFFFFFFFFFFFFFF


class TimeServer(asyncio.DatagramProtocol):
    paused = False

    def __init__(self, offset):
        self.offset = offset

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        received = ntp_now(self.offset)
        if len(data) < PACKET.size or self.paused:
            return
        first, _, poll, *_, transmit = PACKET.unpack(data[:PACKET.size])
        version, mode = first >> 3 & 7, first & 7
        # Two servers must not answer each other for ever.
        if mode != CLIENT or not 1 <= version <= 4:
            return
        self.transport.sendto(PACKET.pack(version << 3 | SERVER, 1, poll, -20, 0, 0, b"LOCL", received, transmit,
                                          received, ntp_now(self.offset)), addr)

    def error_received(self, exc):
        print(f"error: {exc}")

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False


async def main():
    loop = asyncio.get_running_loop()
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    offset = float(sys.argv[2]) if len(sys.argv) > 2 else 0
    transport, _ = await loop.create_datagram_endpoint(lambda: TimeServer(offset), local_addr=("127.0.0.1", port))
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
