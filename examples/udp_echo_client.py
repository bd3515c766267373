import asyncio
import sys


class Answers(asyncio.DatagramProtocol):
    def __init__(self):
        self.queue = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.queue.put_nowait(data.decode())

    def error_received(self, exc):
        self.queue.put_nowait(f"error: {exc}")

    async def next(self, patience):
        try:
            return await asyncio.wait_for(self.queue.get(), patience)
        except TimeoutError:
            return None


async def ask(transport, answers, word):
    for attempt in range(3):
        print(f"sent {word}")
        transport.sendto(word.encode())
        answer = await answers.next(0.5)
        if answer is not None:
            print(f"received {answer}")
            return True
    print("no answer")
    return False


async def talk(host, port, words):
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(Answers, remote_addr=(host, port))
    for word in words:
        if not await ask(transport, answers, word):
            break
    transport.close()


if len(sys.argv) < 4:
    print("usage: udp_echo_client HOST PORT WORD...", file=sys.stderr)
    sys.exit(2)
sys.stdout.reconfigure(line_buffering=True)
try:
    asyncio.run(talk(sys.argv[1], sys.argv[2], sys.argv[3:]))
except (OSError, ValueError) as error:
    sys.exit(str(error))
