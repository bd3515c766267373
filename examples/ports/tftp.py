# needs 3.14
# Files by TFTP (RFC 1350): a server of datagrams that keeps a transfer for each address, and sends again what is not
# acknowledged; a network that loses some; and a client that asks for several files at once.
import asyncio
import struct

READ, DATA, ACK, ERROR = 1, 3, 4, 5
SIZE, PATIENCE, TRIES = 512, 0.02, 5


class Transfer:
    def __init__(self, server, address, name, text):
        self.server, self.address, self.name, self.text = server, address, name, text
        self.number, self.tries = 1, 0
        self.send()

    def send(self):
        self.tries += 1
        if self.tries > TRIES:
            print("nobody acknowledges", self.name)
            self.end()
            return
        self.timer = asyncio.get_running_loop().call_later(PATIENCE, self.send)
        block = self.text[(self.number - 1) * SIZE : self.number * SIZE]
        if self.tries == 1 and self.number in self.server.losses.get(self.name, ()):
            self.server.lost.append((self.name, self.number))
        else:
            self.server.transport.sendto(struct.pack("!HH", DATA, self.number) + block, self.address)

    def acknowledged(self, number):
        if number != self.number:
            return
        self.timer.cancel()
        if len(self.text) < self.number * SIZE:
            self.end()
            return
        self.number, self.tries = self.number + 1, 0
        self.send()

    def end(self):
        del self.server.transfers[self.address]


class Server(asyncio.DatagramProtocol):
    def __init__(self, files, losses):
        self.files, self.losses = files, losses
        self.transfers, self.lost = {}, []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        opcode, number = struct.unpack("!HH", data[:4])
        if opcode == READ:
            name, mode, _ = data[2:].decode().split("\0")
            if name in self.files:
                self.transfers[address] = Transfer(self, address, name, self.files[name])
            else:
                self.transport.sendto(struct.pack("!HH", ERROR, 1) + b"no such file\0", address)
        elif opcode == ACK and address in self.transfers:
            self.transfers[address].acknowledged(number)


class Client(asyncio.DatagramProtocol):
    def __init__(self):
        self.packets = asyncio.Queue()
        self.error = None

    def datagram_received(self, data, address):
        self.packets.put_nowait(data)

    def error_received(self, error):
        self.error = error
        self.packets.shutdown()


async def fetch(address, name):
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(Client, remote_addr=address)
    try:
        transport.sendto(struct.pack("!H", READ) + name.encode() + b"\0octet\0")
        text, last = b"", False
        while not last:
            packet = await asyncio.wait_for(client.packets.get(), 2)
            opcode, number = struct.unpack("!HH", packet[:4])
            if opcode == ERROR:
                raise FileNotFoundError(packet[4:-1].decode())
            if number == len(text) // SIZE + 1:
                text += packet[4:]
                last = len(packet) < 4 + SIZE
            transport.sendto(struct.pack("!HH", ACK, number))
        return text
    except asyncio.QueueShutDown:
        raise client.error
    finally:
        transport.close()


async def main():
    loop = asyncio.get_running_loop()
    files = {"short": b"hello", "even": bytes(2 * SIZE), "long": b"0123456789" * 200, "silent": b"?"}
    transport, server = await loop.create_datagram_endpoint(
        lambda: Server(files, {"long": (1, 3), "even": (2,)}), local_addr=("127.0.0.1", 0))
    address = transport.get_extra_info("sockname")
    names = "short", "even", "long", "missing"
    for name, result in zip(names, await asyncio.gather(*[fetch(address, name) for name in names], return_exceptions=True)):
        print(name, "->", repr(result) if isinstance(result, Exception) else f"{len(result)} bytes, {result == files[name]}")
    print("lost:", sorted(server.lost))
    deaf, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
    deaf.sendto(struct.pack("!H", READ) + b"silent\0octet\0")
    await asyncio.sleep(PATIENCE * (TRIES + 2))
    deaf.close()
    print("transfers:", len(server.transfers))
    transport.close()
    await asyncio.sleep(0)
    try:
        await fetch(address, "short")
    except ConnectionRefusedError as error:
        print(error)


asyncio.run(main())
