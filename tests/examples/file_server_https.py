"""file_server by HTTPS, and those who really ask it: curl, wrk, openssl, nginx, Python's streams."""
import asyncio
import contextlib
import hashlib
import shutil
import ssl
import subprocess
import unittest

import programs
import tls_support
from file_server_case import BIG, HUGE, FileServerTest


class FileServerByTls(FileServerTest):
    def setUp(self):
        super().setUp()
        if tls_support.is_missing():
            self.skipTest("built without TLS")
        tls_support.make_certificates(self.top)

    def serving(self, patience=15, connections=1000, **options):
        return self.servers("--cert", self.top / "cert.pem", "--key", self.top / "key.pem", self.root, 0, "127.0.0.1",
                            patience, connections, **options)

    def curl(self, port, path, *options, status=0):
        done = subprocess.run(["curl", "-sS", "--max-time", "60", "--cacert", self.top / "our-authority.pem", *options,
                               f"https://localhost:{port}{path}"], capture_output=True)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def context(self):
        return ssl.create_default_context(cafile=self.top / "our-authority.pem")

    def connect(self, server):
        client = server.connect()
        client.file.close()
        client.socket = self.context().wrap_socket(client.socket, server_hostname="localhost")
        client.file = client.socket.makefile("rb")
        return client

    def test_curl_fetches_by_each_version(self):
        for server in self.serving():
            for options in (["--tls-max", "1.2"], ["--tlsv1.3"], ["-0"]):
                fetched = self.curl(server.port, "/big.bin", *options)
                self.assertEqual(hashlib.sha256(fetched).digest(), hashlib.sha256(BIG).digest())
            self.assertEqual(self.curl(server.port, "/big.bin", "-r", "100000-2000000"), BIG[100_000:2_000_001])
            self.assertIn(b'<a href="./hello.txt">', self.curl(server.port, "/"))
            twice = self.curl(server.port, "/hello.txt", f"https://localhost:{server.port}/empty", "-w", "%{num_connects}\n")
            self.assertEqual(twice, b"1\nhello, world\n0\n")
            self.curl(server.port, "/", "--cacert", "/etc/ssl/certs/ca-certificates.crt", status=60)
            self.curl(server.port, "/", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", status=35)

    @unittest.skipUnless(shutil.which("wrk"), "no wrk here")
    def test_wrk_finds_no_error(self):
        for server in self.serving():
            done = programs.run(["wrk"], "-t1", "-c20", "-d1s", "--timeout", "20s",
                                f"https://localhost:{server.port}/hello.txt")
            self.assertRegex(done.stdout, r"\n +[1-9]\d* requests in ")
            self.assertNotIn("errors", done.stdout)
            self.assertNotIn("Non-2xx", done.stdout)

    def test_openssl_is_a_client_and_resumes_its_session(self):
        request = "GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for server in self.serving():
            for version in ("-tls1_2", "-tls1_3"):
                for session in ("-sess_out", "-sess_in"):
                    done = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{server.port}", version,
                                           "-CAfile", "our-authority.pem", "-verify_return_error", "-ign_eof", session,
                                           "session"], cwd=self.top, input=request, capture_output=True, text=True,
                                          timeout=programs.TIMEOUT)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn("\nhello, world\n", done.stdout)
                    self.assertIn("New, TLS" if session == "-sess_out" else "Reused, TLS", done.stdout)

    @unittest.skipUnless(tls_support.NGINX, "no nginx here")
    def test_nginx_is_a_proxy_before_it(self):
        for server in self.serving():
            with tls_support.Nginx(self.top, server.port) as nginx:
                for _ in range(3):
                    self.assertEqual(self.curl(nginx.port, "/big.bin"), BIG)
                self.assertEqual(self.curl(nginx.port, "/big.bin", "-r", "5-9"), BIG[5:10])
                self.assertEqual(self.curl(nginx.port, "/none", "-w", "%{http_code}"), b"404 Not Found\n404")
            self.assertNotIn("error", nginx.said)

    def test_pythons_streams_ask_many_times_at_once(self):
        async def ask(server):
            reader, writer = await asyncio.open_connection("localhost", server.port, ssl=self.context())
            for _ in range(3):
                writer.write(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"\r\n\r\n")
                self.assertEqual(await reader.readexactly(len(BIG)), BIG)
            writer.close()
            await writer.wait_closed()

        async def ask_many(server):
            await asyncio.wait_for(asyncio.gather(*(ask(server) for _ in range(8))), 100)
        for server in self.serving(patience=60):
            asyncio.run(ask_many(server))

    def test_who_speaks_no_tls_or_nothing_disturbs_nobody(self):
        for server in self.serving(patience=1):
            before = self.sockets(server)
            with contextlib.ExitStack() as clients:
                silent, plain = (clients.enter_context(server.connect()) for _ in range(2))
                plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                with contextlib.suppress(ConnectionError):
                    self.assertNotIn(b"HTTP", plain.file.read())
                self.assertEqual(self.curl(server.port, "/hello.txt"), b"hello, world\n")
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(silent.file.read(), b"")
            server.meet_clients_that_are_gone(b"\x16\x03\x01\x02\x00\x01")
            self.assertEqual(self.curl(server.port, "/hello.txt"), b"hello, world\n")
            programs.wait_until(lambda: self.sockets(server) <= before)

    def test_who_is_refused_while_it_sends_sees_why(self):
        for server in self.serving():
            with self.connect(server) as client:
                client.send("GET / HTTP/1.1\r\n" + "Long: " + "x" * 100_000)
                self.assertTrue(client.file.readline().startswith(b"HTTP/1.1 431 "))

    def test_who_is_too_slow_is_let_go(self):
        for server in self.serving(patience=1):
            before = self.sockets(server)
            with self.connect(server) as silent, self.connect(server) as slow, self.connect(server) as deaf:
                deaf.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
                slow.send("GET / HT")
                self.assertEqual(silent.rest(), "")
                self.assertTrue(slow.rest().startswith("HTTP/1.1 408 "))
                programs.wait_until(lambda: self.sockets(server) <= before)

    def test_it_stops_when_the_running_answers_are_given(self):
        for server in self.serving():
            with self.connect(server) as idle, self.connect(server) as busy, server.connect():
                busy.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
                head = busy.until("\r\n\r\n")
                self.assertIn(f"Content-Length: {HUGE}", head)
                server.process.terminate()
                self.assertEqual(idle.rest(), "")
                idle.socket.unwrap()
                self.assertEqual(len(busy.file.read()), HUGE)
            self.assertEqual(server.wait(), 0)
            self.assertTrue(server.output.endswith("stopped\n"))

    def test_a_certificate_that_is_none_is_said(self):
        for arguments, error in ((["--cert", "/nowhere"], "No such file"), (["--cert", self.top / "key.pem"], "PEM"),
                                 (["--cert", self.top / "cert.pem", "--key", self.top / "ca.key"], "mismatch")):
            done = programs.run([programs.EXE], *arguments, self.root, 0)
            self.assertEqual(done.returncode, 2)
            self.assertIn(error, done.stderr)
