"""What the tests of file_server have in common: a folder to serve, and requests."""
import contextlib
import os
import pathlib
import random
import socket
import subprocess
import tempfile

import programs

BIG = random.Random(1).randbytes(3_000_000)
HUGE = 50_000_000


def curl(server, path, *options):
    done = subprocess.run(["curl", "-sS", "--path-as-is", "--max-time", str(programs.TIMEOUT), *options,
                           f"http://127.0.0.1:{server.port}{path}"], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


class FileServerTest(programs.ProgramTest):
    name = "file_server"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.root = self.top / "public"
        (self.root / "sub/with index").mkdir(parents=True)
        (self.root / "hello.txt").write_text("hello, world\n")
        (self.root / "empty").write_text("")
        (self.root / "big.bin").write_bytes(BIG)
        with open(self.root / "huge", "wb") as huge:  # more than the kernel takes while nobody reads
            huge.truncate(HUGE)
        (self.root / "sub/ö&<b>.html").write_text("<p>umlaut</p>")
        (self.root / "sub/with index/index.html").write_text("<p>index</p>")
        (self.top / "secret").write_text("secret")
        (self.top / "public-not").write_text("secret")
        (self.root / "way out").symlink_to(self.top / "secret")
        (self.root / "way in").symlink_to("hello.txt")
        os.mkfifo(self.root / "fifo")

    def serving(self, patience=15, connections=1000, **options):
        return self.servers(self.root, 0, "127.0.0.1", patience, connections, **options)

    def request(self, server, text, until_end=True):
        with server.connect() as client:
            client.send(text)
            if until_end:
                client.socket.shutdown(socket.SHUT_WR)
            return client.rest()

    def sockets(self, server):
        folder = pathlib.Path(f"/proc/{server.process.pid}/fd")
        count = 0
        for descriptor in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(folder / descriptor).startswith("socket:")
        return count

    def get(self, server, path, *headers, method="GET"):
        lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
        head, _, body = self.request(server, "\r\n".join(lines)).partition("\r\n\r\n")
        return head, body
