#!/usr/bin/env python3
"""file_server serves a folder to curl, wrk and browsers, and nothing else to nobody.    file_server_test.py EXE"""
import contextlib
import hashlib
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import programs

BIG = random.Random(1).randbytes(3_000_000)
HUGE = 50_000_000


def curl(server, path, *options):
    done = subprocess.run(["curl", "-sS", "--path-as-is", "--max-time", str(programs.TIMEOUT), *options,
                           f"http://127.0.0.1:{server.port}{path}"], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


class FileServer(programs.ProgramTest):
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

    def serving(self, patience=15):
        return self.servers(self.root, 0, "127.0.0.1", patience)

    def request(self, server, text, until_end=True):
        with server.connect() as client:
            client.send(text)
            if until_end:
                client.socket.shutdown(socket.SHUT_WR)
            return client.rest()

    def open_fds(self, server):
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def get(self, server, path, *headers, method="GET"):
        lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
        head, _, body = self.request(server, "\r\n".join(lines)).partition("\r\n\r\n")
        return head, body

    def test_a_file_comes_with_its_type_and_length(self):
        for server in self.serving():
            head, body = self.get(server, "/hello.txt?v=1")
            self.assertEqual(body, "hello, world\n")
            self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
            for line in ("Content-Type: text/plain; charset=utf-8", "Content-Length: 13", "Accept-Ranges: bytes"):
                self.assertIn(line, head)
            self.assertEqual(self.get(server, "http://x/empty")[1], "")
            self.assertEqual(self.get(server, "/way%20in")[1], "hello, world\n")

    def test_curl_fetches_a_large_one_unharmed(self):
        for server in self.serving():
            fetched = curl(server, "/big.bin")
            self.assertEqual(hashlib.sha256(fetched).digest(), hashlib.sha256(BIG).digest())

    def test_head_is_all_but_the_body(self):
        for server in self.serving():
            head, body = self.get(server, "/hello.txt", method="HEAD")
            self.assertIn("Content-Length: 13", head)
            self.assertEqual(body, "")
            self.assertEqual(curl(server, "/none", "-I").split()[1], b"404")

    def test_ranges_are_parts(self):
        for server in self.serving():
            for wanted, part in (("0-4", BIG[:5]), ("2999990-", BIG[-10:]), ("-7", BIG[-7:]),
                                 ("100000-2000000", BIG[100_000:2_000_001]), ("2999999-9999999", BIG[-1:])):
                self.assertEqual(curl(server, "/big.bin", "-r", wanted), part)
            head, body = self.get(server, "/hello.txt", "Range: bytes=7-11")
            self.assertEqual(body, "world")
            self.assertIn("206 Partial Content", head)
            self.assertIn("Content-Range: bytes 7-11/13", head)
            head, _ = self.get(server, "/hello.txt", "Range: bytes=13-")
            self.assertIn("416 Range Not Satisfiable", head)
            self.assertIn("Content-Range: bytes */13", head)
            for other in ("bytes=0-1,3-4", "bytes=5-3", "bytes=a-b", "lines=1-2", "bytes=-", "bytes=99999999999999999999-"):
                self.assertEqual(self.get(server, "/hello.txt", f"Range: {other}")[1], "hello, world\n", other)
            self.assertIn(" 416 ", self.get(server, "/empty", "Range: bytes=-5")[0])

    def test_what_the_client_has_already_is_not_sent_again(self):
        for server in self.serving():
            head, _ = self.get(server, "/hello.txt")
            tag = re.search(r"ETag: (.*)\r", head)[1]
            date = re.search(r"Last-Modified: (.*)\r", head)[1]
            for condition in (f"If-None-Match: {tag}", f'If-None-Match: "x", {tag}', f"If-Modified-Since: {date}"):
                head, body = self.get(server, "/hello.txt", condition)
                self.assertIn("304 Not Modified", head)
                self.assertEqual(body, "")
            self.assertIn(" 200 ", self.get(server, "/hello.txt", 'If-None-Match: "x"', f"If-Modified-Since: {date}")[0])
            self.assertIn(" 206 ", self.get(server, "/hello.txt", f"If-Range: {tag}", "Range: bytes=0-1")[0])
            self.assertIn(" 200 ", self.get(server, "/hello.txt", 'If-Range: "old"', "Range: bytes=0-1")[0])

    def test_folders_are_listed_unless_they_have_an_index(self):
        for server in self.serving():
            page = curl(server, "/").decode()
            self.assertIn('<a href="./hello.txt">hello.txt</a>', page)
            self.assertIn('<a href="./sub/">sub/</a>', page)
            self.assertNotIn("../", page)
            page = curl(server, "/sub/").decode()
            self.assertIn('<a href="./%C3%B6%26%3Cb%3E.html">ö&amp;&lt;b&gt;.html</a>', page)
            self.assertEqual(curl(server, "/sub/%C3%B6%26%3Cb%3E.html"), b"<p>umlaut</p>")
            self.assertEqual(curl(server, "/sub/with%20index/"), b"<p>index</p>")
            head, _ = self.get(server, "/sub/with%20index?x")
            self.assertIn("301 Moved Permanently", head)
            self.assertIn("Location: /sub/with%20index/\r\n", head)

    def test_nothing_outside_of_the_folder_is_served(self):
        for server in self.serving():
            for path in ("/../secret", "/sub/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/way%20out",
                         "/../public-not", "/sub/..", "//etc/passwd", "/none", "/hello.txt/", "/hello.txt/x"):
                head, body = self.get(server, path)
                self.assertIn("404 Not Found", head, path)
                self.assertEqual(body, "404 Not Found\n", path)
            self.assertIn(" 403 ", self.get(server, "/fifo")[0])
            for path in ("/%00", "/%zz", "/%4", "*"):
                self.assertIn(" 400 ", self.get(server, path)[0], path)

    def test_bad_requests_are_refused_with_their_reason(self):
        host = "Host: x\r\n"
        for server in self.serving():
            for text, status in (("nonsense\r\n\r\n", 501), ("GET /\r\n\r\n", 505), ("GET / HTTP/1.1\r\n\r\n", 400),
                                 (f"GET / HTTP/2.0\r\n{host}\r\n", 505), (f"BREW / HTTP/1.1\r\n{host}\r\n", 501),
                                 (f"POST / HTTP/1.1\r\n{host}Content-Length: 2\r\n\r\nhi", 405),
                                 (f"POST / HTTP/1.1\r\n{host}Content-Length: 99999999\r\n\r\n", 413),
                                 (f"GET /{'x' * 9000} HTTP/1.1\r\n{host}\r\n", 414),
                                 (f"GET / HTTP/1.1\r\n{host}X: {'x' * 20000}\r\n\r\n", 431),
                                 (f"GET / HTTP/1.1\r\n{host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400)):
                self.assertEqual(self.request(server, text)[:12], f"HTTP/1.1 {status}", text[:60])
            chunk = "10000\r\n" + "x" * 0x10000 + "\r\n"
            head = f"POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n"
            self.assertEqual(self.request(server, head + chunk * 3)[:12], "HTTP/1.1 413")

    def test_a_connection_is_kept_for_further_requests(self):
        for server in self.serving():
            with server.connect() as client:
                for _ in range(3):
                    client.send("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertIn("Connection: keep-alive", client.until("\r\n\r\nhello, world\n"))
                client.send("GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertIn("Connection: close", client.rest())
            self.assertIn("Connection: close", self.request(server, "GET /empty HTTP/1.0\r\n\r\n", until_end=False))

    def test_several_requests_may_come_at_once_and_in_any_pieces(self):
        requests = ("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n" * 3 +
                    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"
                    "GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for server in self.serving():
            answers = self.request(server, requests)
            self.assertEqual(answers.count("hello, world\n"), 4)
            self.assertEqual(answers.count("HTTP/1.1 405 "), 1)
            with server.connect() as client:
                client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in requests:
                    client.send(byte)
                pieces = client.rest()
            self.assertEqual(re.sub("Date: .*", "", pieces), re.sub("Date: .*", "", answers))

    def test_who_is_too_slow_is_let_go(self):
        for server in self.serving(patience=0.3):
            before = self.open_fds(server)
            with server.connect() as silent, server.connect() as slow, server.connect() as deaf:
                deaf.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
                slow.send("GET / HT")
                self.assertEqual(silent.rest(), "")
                self.assertTrue(slow.rest().startswith("HTTP/1.1 408 "))
                while self.open_fds(server) > before:
                    time.sleep(0.01)
                got = 0
                with contextlib.suppress(ConnectionError):
                    while part := deaf.socket.recv(1_000_000):
                        got += len(part)
                self.assertLess(got, HUGE)

    def test_it_stops_when_the_running_answers_are_given(self):
        for server in self.serving():
            with server.connect() as idle, server.connect() as half, server.connect() as busy:
                busy.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
                head = busy.until("\r\n\r\n")
                self.assertIn(f"Content-Length: {HUGE}", head)
                half.send("GET / HTTP/1.1\r\n")
                server.process.terminate()
                self.assertEqual(idle.rest(), "")
                self.assertEqual(half.rest(), "")
                with self.assertRaises(ConnectionRefusedError):
                    server.connect()
                self.assertEqual(len(busy.file.read()), HUGE)
            self.assertEqual(server.wait(), 0)
            self.assertTrue(server.output.endswith("stopped\n"))

    def test_a_client_that_goes_in_the_middle_harms_nobody(self):
        for server in self.serving():
            with contextlib.ExitStack() as clients:
                for _ in range(20):
                    client = clients.enter_context(server.connect())
                    client.send("GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
                    client.until("\r\n\r\n")
            self.assertEqual(curl(server, "/hello.txt"), b"hello, world\n")

    @unittest.skipUnless(shutil.which("wrk"), "no wrk here")
    def test_wrk_finds_no_error(self):
        for server in self.serving():
            done = programs.run(["wrk"], "-t1", "-c50", "-d1s", f"http://127.0.0.1:{server.port}/hello.txt")
            self.assertRegex(done.stdout, r"\n +[1-9]\d* requests in ")
            self.assertNotIn("errors", done.stdout)
            self.assertNotIn("Non-2xx", done.stdout)


if __name__ == "__main__":
    programs.main()
