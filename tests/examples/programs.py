"""What the tests of examples that are servers have in common: the program and its Python twin, started and ended."""
import os
import pathlib
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXE = None
TIMEOUT = 30
BACKENDS = ("epoll", "io_uring")
FREE_PORT = object()  # among a program's arguments


def free_port():
    """A port that nobody has, neither TCP's nor UDP's, to be taken later: one below those that the system gives away."""
    first_given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first_given // 2, first_given)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as tried:
                    tried.bind(("", port))
            return port
        except OSError:
            pass


class Server:
    """A program that prints where it serves; `with` ends it by SIGTERM, and wants it to end well."""

    def __init__(self, command, *arguments, backend="epoll", status=0, env=(), **options):
        self.status = status
        environment = {**os.environ, "ASYNCIO_IO_BACKEND": backend, "PYTHONDONTWRITEBYTECODE": "1", **dict(env)}
        self.process = subprocess.Popen([*command, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True, env=environment, **options)
        line = self.process.stdout.readline()
        match = re.search(r"serving on \('([^']*)', (\d+)", line)
        assert match, f"{command} said {line!r}"
        self.host, self.port = match[1], int(match[2])
        self.output = ""
        self.reading = threading.Thread(target=self.read_output)  # or the pipe would be full, and the program wait
        self.reading.start()

    def read_output(self):
        with self.process.stdout as lines:
            for line in lines:
                self.output += line

    def connect(self):
        return Client(self.port)

    def meet_clients_that_are_gone(self, text, count=20):
        """The program finds connections that have been reset already, with `text` to read in them."""
        self.process.send_signal(signal.SIGSTOP)
        for _ in range(count):
            client = self.connect()
            client.send(text)
            client.reset()
        self.process.send_signal(signal.SIGCONT)

    def memory(self):
        """The most that it has used so far, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def __enter__(self):
        return self

    def stop(self, signum=signal.SIGTERM):
        self.process.send_signal(signum)
        return self.wait()

    def wait(self):
        try:
            self.process.wait(TIMEOUT)
        finally:
            self.process.kill()
            self.reading.join()
        return self.process.returncode

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            status = self.stop()
            if kind is None:
                assert status == self.status, f"it ended with {status}"


class Client:
    def __init__(self, port, room=None):
        """`room` is what the kernel keeps for it while it does not read, in bytes."""
        self.socket = socket.socket()
        if room is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.settimeout(TIMEOUT)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def line(self):
        return self.file.readline().decode().rstrip("\n")

    def until(self, text):
        """Reads until `text` has come."""
        got = b""
        while not got.endswith(text.encode()):
            byte = self.file.read(1)
            assert byte, got
            got += byte
        return got.decode()

    def rest(self):
        return self.file.read().decode()

    def ask(self, text):
        self.send(text + "\n")
        return self.line()

    def end(self):
        """Sends no more."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.file.close()
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ServerThatNobodyListensTo(Server):
    """It cannot say where it serves, so it is told."""

    def __init__(self, command, *arguments, backend, stdout, preexec_fn=None):
        self.status = 0
        self.port = free_port()
        arguments = [str(self.port if argument is FREE_PORT else argument) for argument in arguments]
        environment = {**os.environ, "ASYNCIO_IO_BACKEND": backend}
        self.process = subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL, stdout=stdout,
                                        env=environment, preexec_fn=preexec_fn)
        self.reading = threading.Thread()
        self.reading.start()

    def connect(self):
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                return super().connect()
            except ConnectionRefusedError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.01)


def servers_that_nobody_listens_to(command, backend, *arguments):
    """Standard output is a full disk, closed, a pipe that nobody reads, and a pipe whose reader has gone."""
    def without_stdout():
        os.close(1)
    with open("/dev/full", "w") as full:
        with ServerThatNobodyListensTo(command, *arguments, backend=backend, stdout=full) as server:
            yield server
    with ServerThatNobodyListensTo(command, *arguments, backend=backend, stdout=None, preexec_fn=without_stdout) as server:
        yield server
    for is_reader_there in (True, False):
        reader, writer = os.pipe()
        with ServerThatNobodyListensTo(command, *arguments, backend=backend, stdout=writer) as server:
            os.close(writer)
            if not is_reader_there:
                os.close(reader)
            yield server
        if is_reader_there:
            os.close(reader)


class ProgramTest(unittest.TestCase):
    """Each test runs with the program, on both I/O backends, and with its twin, if `name` has one."""
    name = ""

    variant = ""

    def variants(self):
        for backend in BACKENDS:
            self.variant = backend
            yield [EXE], backend
        twin = ROOT / "examples" / f"{self.name}.py"
        if twin.exists():
            self.variant = "the twin"
            yield [sys.executable, str(twin)], "epoll"

    def _formatMessage(self, *parts):
        return f"{super()._formatMessage(*parts)} : {self.variant}"

    def servers(self, *arguments, **options):
        for command, backend in self.variants():
            with Server(command, *arguments, backend=backend, **options) as server:
                yield server


def run(command, *arguments, **options):
    return subprocess.run([*command, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT, **options)


def limit_descriptors(count):
    """As `preexec_fn`."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def wait_until(condition):
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it has not come true"
        time.sleep(0.01)


def main():
    global EXE
    EXE = sys.argv.pop(1)
    unittest.main()
