import asyncio
import ipaddress
import secrets
import struct
import sys

A, CNAME, AAAA = 1, 5, 28
ATTEMPTS, PATIENCE = 3, 1


class BadMessage(Exception):
    pass


def question(number, name, kind):
    name = name.removesuffix(".")
    if not 1 <= len(name.encode()) <= 253:
        raise BadMessage("it has no length of a name")
    message = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0)
    for label in name.encode().split(b"."):
        if not 1 <= len(label) <= 63:
            raise BadMessage("a part of it is empty or too long")
        message += bytes([len(label)]) + label
    return message + b"\0" + struct.pack("!2H", kind, 1)


class Reader:
    def __init__(self, message):
        self.message, self.at = message, 0

    def bytes(self, size):
        if len(self.message) - self.at < size:
            raise BadMessage("it is too short")
        self.at += size
        return self.message[self.at - size:self.at]

    def byte(self):
        return self.bytes(1)[0]

    def number(self):
        return int.from_bytes(self.bytes(2))

    def name(self):
        name, behind, began = b"", None, self.at
        while length := self.byte():
            if length >= 0xC0:
                to = (length & 0x3F) << 8 | self.byte()
                if behind is None:
                    behind = self.at
                if to >= began:
                    raise BadMessage("a name points forward")
                began = self.at = to
                continue
            if length > 63:
                raise BadMessage("it is no name")
            name += self.bytes(length) + b"."
            if len(name) > 254:
                raise BadMessage("a name is too long")
        if behind is not None:
            self.at = behind
        return name.lower()


def parse_answer(message, asked, kind):
    """(truncated, status, addresses), or None if it is not the answer to this question."""
    expected, reader = Reader(asked), Reader(message)
    number = expected.number()
    expected.bytes(10)
    name = expected.name()
    if reader.number() != number:
        return None
    flags, questions, answers = reader.number(), reader.number(), reader.number()
    reader.bytes(4)
    is_ours = flags & 0x8000 and questions == 1 and reader.name() == name
    if not is_ours or reader.number() != kind or reader.number() != 1:
        return None
    addresses = []
    if flags & 0x0200:
        return True, flags & 0xF, addresses
    for _ in range(answers):
        owner, record_type, record_class = reader.name(), reader.number(), reader.number()
        reader.bytes(4)
        size = reader.number()
        if (record_type, record_class, owner) == (CNAME, 1, name):
            name = reader.name()
            continue
        data = reader.bytes(size)
        if (record_type, record_class, owner) == (kind, 1, name):
            if len(data) != (16 if kind == AAAA else 4):
                raise BadMessage("an address has another size")
            addresses.append(str(ipaddress.ip_address(data)))
    return False, flags & 0xF, addresses


class Question(asyncio.DatagramProtocol):
    def __init__(self, message, kind):
        self.message, self.kind = message, kind
        self.answer = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        try:
            answer = parse_answer(data, self.message, self.kind)
        except BadMessage:
            return  # anybody can send us rubbish: the right one may still come
        if answer and not self.answer.done():
            self.answer.set_result(answer)

    def error_received(self, exc):
        if not self.answer.done():
            self.answer.set_exception(exc)

    async def ask(self):
        for _ in range(ATTEMPTS):
            self.transport.sendto(self.message)
            try:
                return await asyncio.wait_for(asyncio.shield(self.answer), PATIENCE)
            except TimeoutError:
                pass
        raise TimeoutError("no answer")


async def ask_by_udp(server, message, kind):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Question(message, kind), remote_addr=server)
    try:
        return await protocol.ask()
    finally:
        transport.close()


async def ask_by_tcp(server, message, kind):
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(struct.pack("!H", len(message)) + message)
        size = int.from_bytes(await reader.readexactly(2))
        answer = parse_answer(await reader.readexactly(size), message, kind)
        if not answer or answer[0]:
            raise BadMessage("it is not what was asked")
        return answer
    finally:
        writer.close()


async def look_up(server, name, kind):
    message = question(secrets.randbits(16), name, kind)
    answer = await ask_by_udp(server, message, kind)
    if answer[0]:
        answer = await asyncio.wait_for(ask_by_tcp(server, message, kind), 5)
    return answer


async def describe(server, name):
    try:
        # Both to their ends: one that fails later than the other would be told of as an error of the program.
        answers = await asyncio.gather(look_up(server, name, A), look_up(server, name, AAAA), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        (_, status, v4), (_, other, v6) = answers
    except BadMessage as error:
        return f"{name}: a bad message: {error}"
    except TimeoutError:
        return f"{name}: no answer"
    except OSError as error:
        return f"{name}: {error}"
    except EOFError:
        return f"{name}: the server has closed the connection"
    status = status or other
    if status:
        return f"{name}: there is no such name" if status == 3 else f"{name}: the server fails, status {status}"
    return f"{name}: {', '.join(v4 + v6) or 'it has no address'}"


async def resolve(server, names):
    for task in [asyncio.create_task(describe(server, name)) for name in names]:
        print(await task)


if len(sys.argv) < 4:
    print("usage: resolver SERVER PORT NAME...", file=sys.stderr)
    sys.exit(2)
sys.stdout.reconfigure(line_buffering=True)
asyncio.run(resolve((sys.argv[1], sys.argv[2]), sys.argv[3:]))
