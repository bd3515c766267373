#!/usr/bin/env python3
"""resolver asks dnsmasq, and servers that mean no good.    resolver_test.py EXE"""
import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

import programs

MANY = [f"10.1.{i // 256}.{i % 256}" for i in range(200)]
A, CNAME, AAAA = 1, 5, 28


@contextlib.contextmanager
def dnsmasq():
    """Its port. It knows a few names and asks nobody."""
    program = shutil.which("dnsmasq", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert program, "dnsmasq is missing: the package dnsmasq-base has it"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with open(f"{folder}/hosts", "w") as hosts:
            hosts.writelines(f"{address} many.example\n" for address in MANY)
        port = programs.free_port()
        command = [program, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=",
                   "--group=", "--pid-file=", f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces",
                   "--local-ttl=1", "--host-record=one.example,192.0.2.1",
                   "--host-record=both.example,192.0.2.2,2001:db8::2", "--cname=alias.example,both.example",
                   "--local=/example/", f"--addn-hosts={folder}/hosts"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                def answers():
                    assert process.poll() is None, process.stderr.read()
                    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                        return True
                programs.wait_until(answers)
                yield port
            finally:
                process.kill()


def end_of_question(message):
    return message.index(b"\0", 12) + 5


def answer(asked, records=b"", count=0, flags=0x8180, number=None, question=None):
    number = struct.unpack("!H", asked[:2])[0] if number is None else number
    question = asked[12:end_of_question(asked)] if question is None else question
    return struct.pack("!6H", number, flags, 1, count, 0, 0) + question + records


def record(kind, data, owner=b"\xc0\x0c"):
    return owner + struct.pack("!2HIH", kind, 1, 60, len(data)) + data


def kind_of(asked):
    return struct.unpack("!H", asked[end_of_question(asked) - 4:end_of_question(asked) - 2])[0]


def right(asked):
    return answer(asked, record(A, b"\x01\x02\x03\x04"), 1) if kind_of(asked) == A else answer(asked)


class Liar:
    """Sends all of by_udp(question), and answers by TCP with by_tcp(question)."""

    def __init__(self, by_udp, by_tcp=None):
        self.by_udp, self.by_tcp, self.asked = by_udp, by_tcp, 0

    def __enter__(self):
        self.over = threading.Event()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = programs.free_port()
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port)) if self.by_tcp else None
        self.threads = [threading.Thread(target=self.serve_udp)]
        if self.tcp:
            self.threads.append(threading.Thread(target=self.serve_tcp))
        for thread in self.threads:
            thread.start()
        return self

    def serve_udp(self):
        self.udp.settimeout(0.05)
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                data, sender = self.udp.recvfrom(1000)
                self.asked += 1
                for each in self.by_udp(data):
                    self.udp.sendto(each, sender)

    def serve_tcp(self):
        self.tcp.settimeout(0.05)
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError, struct.error):  # who asks may have given up
                with self.tcp.accept()[0] as client:
                    client.settimeout(programs.TIMEOUT)
                    size = struct.unpack("!H", client.recv(2, socket.MSG_WAITALL))[0]
                    client.sendall(self.by_tcp(client.recv(size, socket.MSG_WAITALL)))

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.udp.close()
        if self.tcp:
            self.tcp.close()


class Resolver(programs.ProgramTest):
    name = "resolver"

    def resolve(self, command, backend, port, *names):
        done = programs.run(command, "127.0.0.1", port, *names, env={**os.environ, "ASYNCIO_IO_BACKEND": backend})
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        return done.stdout.splitlines()

    def test_dnsmasq(self):
        names = ["one.example", "both.example", "ALIAS.example.", "nobody.example", "many.example", "a..b", "x" * 64]
        with dnsmasq() as port:
            for variant in self.variants():
                said = self.resolve(*variant, port, *names)
                self.assertEqual(said[:4], ["one.example: 192.0.2.1", "both.example: 192.0.2.2, 2001:db8::2",
                                            "ALIAS.example.: 192.0.2.2, 2001:db8::2",
                                            "nobody.example: there is no such name"])
                # Too large for a datagram: it was asked for by TCP.
                self.assertTrue(said[4].startswith("many.example: "))
                self.assertEqual(sorted(said[4].split(": ")[1].split(", ")), sorted(MANY))
                self.assertEqual(said[5:], ["a..b: a bad message: a part of it is empty or too long",
                                            "x" * 64 + ": a bad message: a part of it is empty or too long"])

    def test_rubbish_is_passed_over(self):
        def rubbish(asked):
            address = record(A, b"\x06\x06\x06\x06")
            number = struct.unpack("!H", asked[:2])[0]
            loop = b"\xc0" + bytes([end_of_question(asked)])
            long_name = b"".join(b"\x3f" + b"a" * 63 for _ in range(5)) + b"\0"
            yield from (b"", b"\0", asked, asked[:12], os.urandom(500), os.urandom(12), bytes(65_000))
            yield answer(asked, address, 1, number=number ^ 1)
            yield answer(asked, address, 1, question=b"\x05other\x07example\0" + struct.pack("!2H", kind_of(asked), 1))
            yield answer(asked, address, 1, flags=0x0180)  # a question
            yield answer(asked, address, 2)  # there is but one
            yield answer(asked, address[:-1], 1)
            yield answer(asked, record(kind_of(asked), b"\x06" * 5), 1)
            yield answer(asked, record(A, b"", loop), 1)  # a name that points to itself
            yield answer(asked, record(A, b"", b"\xff\xff"), 1)
            yield answer(asked, record(A, b"", b"\x80"), 1)
            yield answer(asked, record(A, b"", long_name), 1)
            yield right(asked)
            yield answer(asked, address, 1)  # too late
        for variant in self.variants():
            with Liar(rubbish) as server:
                self.assertEqual(self.resolve(*variant, server.port, "name.example"), ["name.example: 1.2.3.4"])

    def test_only_the_name_that_was_asked_for_counts(self):
        def answers(asked):
            other = b"\x05other\x07example\0"
            alias = record(CNAME, other) + record(kind_of(asked), b"\x01" * (4 if kind_of(asked) == A else 16), other)
            yield answer(asked, record(A, b"\x06\x06\x06\x06", b"\x07foreign\0") + alias, 3)
        for variant in self.variants():
            with Liar(answers) as server:
                self.assertEqual(self.resolve(*variant, server.port, "name.example"),
                                 ["name.example: 1.1.1.1, 101:101:101:101:101:101:101:101"])

    def test_asks_three_times(self):
        for variant in self.variants():
            with Liar(lambda asked: []) as server:
                self.assertEqual(self.resolve(*variant, server.port, "name.example"), ["name.example: no answer"])
                self.assertEqual(server.asked, 6)

    def test_a_server_that_fails_or_is_not_there(self):
        for variant in self.variants():
            with Liar(lambda asked: [answer(asked, flags=0x8182)]) as server:
                self.assertEqual(self.resolve(*variant, server.port, "name.example"),
                                 ["name.example: the server fails, status 2"])
            self.assertEqual(self.resolve(*variant, server.port, "name.example"),
                             ["name.example: [Errno 111] Connection refused"])

    def test_by_tcp_it_is_not_believed_either(self):
        def truncated(asked):
            yield answer(asked, flags=0x8380)

        def sized(message):
            return struct.pack("!H", len(message)) + message
        cases = [(lambda asked: sized(right(asked)), "1.2.3.4"),
                 (lambda asked: sized(next(truncated(asked))), "a bad message: it is not what was asked"),
                 (lambda asked: sized(asked[:20]), "a bad message: it is not what was asked"),
                 (lambda asked: sized(right(asked))[:-1] if kind_of(asked) == A else sized(right(asked)),
                  "the server has closed the connection"),
                 (lambda asked: b"", "the server has closed the connection")]
        for by_tcp, said in cases:
            for variant in self.variants():
                with Liar(truncated, by_tcp) as server:
                    self.assertEqual(self.resolve(*variant, server.port, "name.example"), [f"name.example: {said}"])


if __name__ == "__main__":
    programs.main()
