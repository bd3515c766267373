"""What file_server stands: clients that read slowly or not at all, and files that are not what they were."""
import contextlib
import ctypes
import os
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.parse

import programs
from file_server_case import HUGE, FileServerTest

SWAPPER = """
import ctypes, sys
exchange = ctypes.CDLL(None).renameat2
one, other = sys.argv[1].encode(), sys.argv[2].encode()
print(flush=True)
while exchange(-100, one, -100, other, 2) == 0:
    pass
"""


def refuse_openat2():
    """As kernels before 5.6 do, and some containers."""
    def instruction(code, value, if_true=0, if_false=0):
        return struct.pack("HBBI", code, if_true, if_false, value)
    filters = (instruction(0x20, 0) + instruction(0x15, 437, 0, 1) +  # the number of the system call
               instruction(0x06, 0x00050000 | 38) + instruction(0x06, 0x7fff0000))  # ENOSYS; allowed
    buffer = ctypes.create_string_buffer(filters)
    program = ctypes.create_string_buffer(struct.pack("HP", 4, ctypes.addressof(buffer)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    none = [ctypes.c_ulong(0)] * 3
    if prctl(38, ctypes.c_ulong(1), *none) != 0 or prctl(22, ctypes.c_ulong(2), program, *none[:2]) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class FileServerAttacks(FileServerTest):
    def serving_with_and_without_openat2(self):
        yield from self.serving()
        yield from self.serving(preexec_fn=refuse_openat2)

    def deaf(self, server, room=4096):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.settimeout(programs.TIMEOUT)
        client.connect(("127.0.0.1", server.port))
        return client

    def many_names(self):
        """A folder whose page has 6 MB, since each byte of these names takes eight there."""
        folder = self.root / "many"
        folder.mkdir()
        names = sorted(f"{i:06}-{'&' * 240}" for i in range(3000))
        for name in names:
            os.link(self.root / "empty", folder / name)  # faster than as many files
        return names

    def test_a_folder_that_is_swapped_with_a_link_leaks_nothing(self):
        far = "/".join("d" * 50)  # a long way takes long, in which much can happen
        for folder, text in ((self.root / "swapped", "inside"), (self.top / "outside", "outside")):
            (folder / far).mkdir(parents=True)
            (folder / far / "file").write_text(text)
        (self.root / "link").symlink_to(self.top / "outside")
        for server in self.serving_with_and_without_openat2():
            with subprocess.Popen([sys.executable, "-c", SWAPPER, self.root / "swapped", self.root / "link"],
                                  stdout=subprocess.PIPE) as swapper:
                swapper.stdout.readline()
                try:
                    with server.connect() as client:
                        for _ in range(700):
                            client.send(f"GET /swapped/{far}/file HTTP/1.1\r\nHost: x\r\n\r\n")
                            head = client.until("\r\n\r\n")
                            size = int(re.search(r"Content-Length: (\d+)", head)[1])
                            self.assertNotEqual(client.file.read(size), b"outside")
                finally:
                    swapper.kill()

    def test_nothing_outside_of_the_folder_is_served(self):
        (self.root / "folder out").symlink_to(self.top)
        (self.root / "absolute").symlink_to(self.root / "hello.txt")
        (self.root / "sub/back").symlink_to("../../public/hello.txt")
        for server in self.serving_with_and_without_openat2():
            for path in ("/../secret", "/sub/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/way%20out",
                         "/../public-not", "/sub/..", "//etc/passwd", "/none", "/hello.txt/", "/hello.txt/x",
                         "/folder%20out/secret", "/folder%20out/", "/sub/back", "/absolute"):
                head, body = self.get(server, path)
                self.assertIn("404 Not Found", head, path)
                self.assertEqual(body, "404 Not Found\n", path)
            for path in ("/%00", "/%zz", "/%4", "*", "hello.txt"):
                self.assertIn(" 400 ", self.get(server, path)[0], path)
            self.assertEqual(self.get(server, "//sub/.///with%20index/index.html")[1], "<p>index</p>")

    def test_what_is_no_file_is_not_opened(self):
        os.symlink("fifo", self.root / "link to fifo")
        for server in self.serving_with_and_without_openat2():
            writer = subprocess.Popen(["sh", "-c", 'echo x > "$0"', self.root / "fifo"])
            try:
                self.assertIn(" 403 ", self.get(server, "/fifo")[0])
                self.assertRegex(self.get(server, "/fifo/")[0], r" 40[34] ")
                self.assertRegex(self.get(server, "/link%20to%20fifo")[0], r" 40[34] ")
                with self.assertRaises(subprocess.TimeoutExpired):
                    writer.wait(0.3)
            finally:
                writer.kill()
                writer.wait()
        for server in self.servers("/dev", 0):
            for path in ("/null", "/zero", "/tty", "/full", "/ptmx"):
                self.assertIn(" 403 ", self.get(server, path)[0], path)

    def test_no_redirect_leads_to_another_host(self):
        for server in self.serving():
            for target in ("//sub", "///sub", "/%2fsub", "http://x//sub"):
                self.assertIn("\r\nLocation: /sub/\r\n", self.get(server, target)[0], target)
            (self.root / "\\x").mkdir(exist_ok=True)
            self.assertIn("\r\nLocation: /%5Cx/\r\n", self.get(server, "/\\x")[0])
            self.assertIn("404 Not Found", self.get(server, "//example.org")[0])

    def test_ranges_are_for_get(self):
        for server in self.serving():
            head, _ = self.get(server, "/hello.txt", "Range: bytes=0-1", method="HEAD")
            self.assertIn("HTTP/1.1 200 ", head)
            self.assertIn("Content-Length: 13", head)
            date = re.search(r"Last-Modified: (.*)\r", head)[1]
            head, _ = self.get(server, "/hello.txt", "Range: bytes=0-1", f"If-Range: {date}")
            self.assertIn("HTTP/1.1 200 ", head)

    def test_however_little_is_left_it_is_not_waited_for_without_end(self):
        for server in self.serving(patience=0.5):
            before = self.sockets(server)
            with contextlib.ExitStack() as clients:
                for size in range(10_000, 6_000_000, 60_000):  # one of them fits almost into the kernel's buffers
                    client = clients.enter_context(self.deaf(server))
                    client.sendall(f"GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                   f"Range: bytes=0-{size}\r\n\r\n".encode())
                    client.recv(1)
                programs.wait_until(lambda: self.sockets(server) <= before)

    def test_a_listing_goes_in_pieces_to_whoever_takes_some_of_it_in_time(self):
        names = self.many_names()
        for server in self.serving(patience=1):
            with contextlib.closing(self.deaf(server, 100_000)) as client:
                client.sendall(b"GET /many/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = b""
                began = time.monotonic()
                while part := client.recv(100_000):
                    answer += part
                    if time.monotonic() - began < 1.5:
                        time.sleep(0.05)
            self.assertGreater(time.monotonic() - began, 1.2)
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertIn(b"Transfer-Encoding: chunked", head)
            self.assertTrue(body.endswith(b"\r\n0\r\n\r\n"))
            plain = self.request(server, "GET /many/ HTTP/1.0\r\n\r\n")
            self.assertEqual(sorted(urllib.parse.unquote(name) for name in re.findall(r'href="./(\d[^"]*)"', plain)), names)
            self.assertTrue(plain.endswith("</ul></body></html>\n"))

    def test_unread_listings_cost_little(self):
        self.many_names()
        for server in self.serving(env={"ASAN_OPTIONS": "quarantine_size_mb=1"}):
            self.get(server, "/sub/")
            before = server.memory()
            with contextlib.ExitStack() as clients:
                for _ in range(30):
                    client = clients.enter_context(self.deaf(server))
                    client.sendall(b"GET /many/ HTTP/1.1\r\nHost: x\r\n\r\n")
                    client.recv(100)
                self.assertLess(server.memory() - before, 40_000_000)

    def test_connections_are_limited(self):
        for server in self.serving(connections=4):
            with contextlib.ExitStack() as clients:
                for _ in range(4):
                    clients.enter_context(server.connect()).send("GET")
                self.assertEqual(self.request(server, "")[:12], "HTTP/1.1 503")
            programs.wait_until(lambda: " 503 " not in self.get(server, "/hello.txt")[0])
            self.assertIn("Connection: keep-alive", self.request(server, "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n"))
            with server.connect() as one, server.connect() as two, server.connect() as three:
                answers = ""
                for client in (one, two, three):
                    client.send("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n")
                    answers += client.until("hello, world\n")
                self.assertIn("Connection: close", answers)

    def test_more_clients_than_descriptors_are_no_trouble(self):
        for server in self.serving(preexec_fn=lambda: programs.limit_descriptors(200)):
            with contextlib.ExitStack() as clients:
                for _ in range(60):
                    clients.enter_context(server.connect())
                self.assertEqual(clients.enter_context(server.connect()).rest()[:12], "HTTP/1.1 503")
            programs.wait_until(lambda: self.get(server, "/hello.txt")[1] == "hello, world\n")

    def test_who_is_gone_before_it_is_looked_at_harms_nobody(self):
        for server in self.serving():
            server.meet_clients_that_are_gone("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(self.get(server, "/hello.txt")[1], "hello, world\n")

    def test_who_sends_more_than_is_read_gets_the_answer_and_no_reset(self):
        for server in self.serving():
            with server.connect() as client:
                client.send("GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + "x" * 200_000)
                answer = client.rest()  # a reset is an error here
                self.assertTrue(answer.endswith("hello, world\n"), answer)

    def test_standard_output_can_neither_stop_nor_end_it(self):
        for command, backend in self.variants():
            for server in programs.servers_that_nobody_listens_to(command, backend, self.root, programs.FREE_PORT):
                with server.connect() as client:
                    for _ in range(400):  # more than a pipe takes
                        client.send(f"GET /hello.txt?{'x' * 400} HTTP/1.1\r\nHost: x\r\n\r\n")
                        answer = client.until("\r\n\r\nhello, world\n")
                        self.assertTrue(answer.startswith("HTTP/1.1 200 OK\r\n"), answer)

    def test_bad_arguments_are_refused(self):
        for command, _ in self.variants():
            for arguments in ((), ("/none",), (self.root, "http"), (self.root, "65536"), (self.root, "-1"),
                              (self.root, "0", "127.0.0.1", "nan"), (self.root, "0", "127.0.0.1", "1", "0")):
                self.assertEqual(programs.run(command, *arguments).returncode, 2, arguments)
