import asyncio
import secrets
import struct
import sys
import time

FROM_1900_TO_1970 = 2_208_988_800
PACKET = struct.Struct("!BBBbII4sQQQQ")  # 48 bytes
CLIENT, SERVER = 3, 4


def ntp_now():
    seconds, fraction = divmod(time.time_ns(), 1_000_000_000)
    return (seconds + FROM_1900_TO_1970 << 32 | (fraction << 32) // 1_000_000_000) & 0xFFFFFFFFFFFFFFFF


def difference(later, earlier):
    parts = (later - earlier) & 0xFFFFFFFFFFFFFFFF
    return (parts - (1 << 64) if parts >> 63 else parts) / 4294967296


class Refused(Exception):
    pass


class Answers(asyncio.DatagramProtocol):
    def __init__(self):
        self.queue = asyncio.Queue(64)

    def keep(self, answer):
        if not self.queue.full():
            self.queue.put_nowait((ntp_now(), answer))

    def datagram_received(self, data, addr):
        self.keep(data[:PACKET.size])

    def error_received(self, exc):
        self.keep(exc)


async def answer_to(answers, transmit):
    while True:
        arrived, answer = await answers.queue.get()
        if isinstance(answer, Exception):
            raise answer
        if len(answer) < PACKET.size:
            continue
        first, stratum, _, _, _, _, reference, _, origin, received, sent = PACKET.unpack(answer)
        if first & 7 != SERVER or origin != transmit:
            continue
        if stratum == 0:
            name = "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in reference)
            raise Refused(f"the server refuses: {name}")
        if first >> 6 == 3 or stratum > 15 or sent == 0:
            raise Refused("the server does not know the time")
        return arrived, stratum, received, sent


async def ask(transport, answers):
    for attempt in range(3):
        nonce = secrets.randbits(64)
        began = ntp_now()
        transport.sendto(PACKET.pack(4 << 3 | CLIENT, 0, 0, -20, 0, 0, bytes(4), 0, 0, 0, nonce))
        try:
            arrived, stratum, received, sent = await asyncio.wait_for(answer_to(answers, nonce), 1)
        except TimeoutError:
            continue
        offset = (difference(received, began) - difference(arrived, sent)) / 2
        delay = difference(arrived, began) - difference(sent, received)
        print(f"offset {offset:+.6f} s, delay {delay:.6f} s, stratum {stratum}")
        return
    raise Refused("no answer")


async def talk(host, port):
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(Answers, remote_addr=(host, port))
    await ask(transport, answers)
    transport.close()


if not 2 <= len(sys.argv) <= 3:
    print("usage: sntp_client HOST [PORT]", file=sys.stderr)
    sys.exit(2)
try:
    asyncio.run(talk(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "123"))
except (OSError, ValueError, Refused) as error:
    sys.exit(str(error))
