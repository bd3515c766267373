#!/usr/bin/env python3
"""file_server serves a folder to curl, wrk and browsers.    file_server_test.py EXE"""
import contextlib
import hashlib
import re
import shutil
import signal
import socket
import time
import unittest

import programs
from file_server_case import BIG, HUGE, FileServerTest, curl
from file_server_attacks import FileServerAttacks  # noqa: F401: unittest finds it here
from file_server_browser import FileServerInABrowser  # noqa: F401
from file_server_https import FileServerByTls  # noqa: F401
from file_server_requests import FileServerRequests  # noqa: F401


class FileServer(FileServerTest):
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

    def test_a_connection_is_kept_for_further_requests(self):
        for server in self.serving():
            with server.connect() as client:
                for _ in range(3):
                    client.send("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertIn("Connection: keep-alive", client.until("\r\n\r\nhello, world\n"))
                client.send("GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertIn("Connection: close", client.rest())
            self.assertIn("Connection: close", self.request(server, "GET /empty HTTP/1.0\r\n\r\n", until_end=False))

    def test_empty_lines_between_requests_are_nothing(self):
        for server in self.serving():
            with server.connect() as client:
                for _ in range(3):
                    client.send("GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r\n")
                    client.until("\r\n\r\nhello, world\n")

    def test_the_log_has_what_was_sent(self):
        asked = ("GET /hello.txt", "HEAD /hello.txt", "GET /empty", "GET /nothing", "HEAD /nothing", "GET /sub/")
        for server in self.serving(patience=0.3):
            listing = len(curl(server, "/sub/"))
            for one in asked:
                self.request(server, f"{one} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.request(server, "GET /hello.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=2-4\r\n\r\n")
            self.request(server, "nonsense\r\n\r\n")
            with server.connect() as deaf:
                deaf.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
                programs.wait_until(lambda: '"GET /huge"' in server.output)
                got = b""
                with contextlib.suppress(ConnectionError):
                    while part := deaf.socket.recv(1_000_000):
                        got += part
            server.stop()
            lines = re.findall(r'127.0.0.1 "(.*?)" (\d+) (\d+)\n', server.output)
            self.assertEqual(lines[:-1], [
                ("GET /sub/", "200", str(listing)), ("GET /hello.txt", "200", "13"), ("HEAD /hello.txt", "200", "0"),
                ("GET /empty", "200", "0"), ("GET /nothing", "404", "14"), ("HEAD /nothing", "404", "0"),
                ("GET /sub/", "200", str(listing)), ("GET /hello.txt", "206", "3"), (" ", "400", "16")])
            what, status, sent = lines[-1]
            self.assertEqual((what, status), ("GET /huge", "200"))
            body = len(got) - got.index(b"\r\n\r\n") - 4
            self.assertLessEqual(body, int(sent))
            self.assertLess(int(sent), HUGE)

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
            before = self.sockets(server)
            with server.connect() as silent, server.connect() as slow, server.connect() as deaf:
                deaf.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
                slow.send("GET / HT")
                self.assertEqual(silent.rest(), "")
                self.assertTrue(slow.rest().startswith("HTTP/1.1 408 "))
                programs.wait_until(lambda: self.sockets(server) <= before)
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

    def test_ctrl_c_ends_it(self):
        for server in self.serving():
            with server.connect() as client:
                client.send("GET /")
                self.assertEqual(server.stop(signal.SIGINT), 0)
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
