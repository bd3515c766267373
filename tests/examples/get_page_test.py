#!/usr/bin/env python3
"""get_page gets pages from nginx, openssl and Python, and believes nobody else.    get_page_test.py EXE"""
import contextlib
import functools
import http.server
import pathlib
import random
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

import programs
import tls_support

PAGE = random.Random(1).randbytes(3_000_000)


class GetPage(programs.ProgramTest):
    name = "get_page"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "public").mkdir()
        (self.folder / "public/page").write_bytes(PAGE)
        if not tls_support.is_missing():
            tls_support.make_certificates(self.folder)

    def get(self, url, command, backend, *options):
        environment = {**programs.os.environ, "ASYNCIO_IO_BACKEND": backend}
        return subprocess.run([*command, *options, url], stdin=subprocess.DEVNULL, capture_output=True, env=environment,
                              timeout=100)

    def check_server(self, place):
        """It has the page, and no other; who trusts somebody else or wants another server gets nothing of it."""
        trust = ["--cafile", str(self.folder / "our-authority.pem")]
        for command, backend in self.variants():
            done = self.get(f"https://{place}/page", command, backend, *trust)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertTrue(done.stdout == PAGE)
            done = self.get(f"https://{place}/page", command, backend)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"unable to get local issuer certificate", done.stderr)
            done = self.get(f"https://{place.replace('localhost', '127.0.0.2')}/page", command, backend, *trust)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertRegex(done.stderr, b"127.0.0.2|Connect call failed")

    @unittest.skipUnless(tls_support.NGINX, "no nginx here")
    def test_from_nginx(self):
        if tls_support.is_missing():
            self.skipTest("built without TLS")
        with tls_support.Nginx(self.folder) as nginx:
            self.check_server(f"localhost:{nginx.port}")
            for command, backend in self.variants():
                done = self.get(f"https://localhost:{nginx.port}/none", command, backend, "--cafile",
                                str(self.folder / "our-authority.pem"))
                self.assertEqual((done.returncode, done.stderr), (1, b"HTTP/1.1 404 Not Found\n"))

    def test_from_openssl(self):
        if tls_support.is_missing():
            self.skipTest("built without TLS")
        for version in ("-tls1_2", "-tls1_3"):
            port = programs.free_port()
            server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", "../cert.pem", "-key",
                                       "../key.pem", "-HTTP", version], cwd=self.folder / "public",
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                # It sends what is in the file, head and all.
                (self.folder / "public/page").write_bytes(b"HTTP/1.0 200 OK\r\n\r\n" + PAGE)
                tls_support.wait_for_port(port, server)
                self.check_server(f"localhost:{port}")
            finally:
                server.kill()
                server.wait()

    def test_from_python_with_and_without_tls(self):
        for has_tls in (False, True):
            if has_tls and tls_support.is_missing():
                continue
            quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
            handler = functools.partial(quiet, directory=self.folder / "public")
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
                server.handle_error = lambda *_: None
                if has_tls:
                    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                    context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
                    server.socket = context.wrap_socket(server.socket, server_side=True)
                thread = threading.Thread(target=server.serve_forever)
                thread.start()
                try:
                    if has_tls:
                        self.check_server(f"localhost:{server.server_port}")
                        continue
                    for command, backend in self.variants():
                        done = self.get(f"http://localhost:{server.server_port}/page", command, backend)
                        self.assertEqual((done.returncode, done.stderr), (0, b""))
                        self.assertTrue(done.stdout == PAGE)
                finally:
                    server.shutdown()
                    thread.join()

    def test_a_page_that_is_cut_off_is_no_page(self):
        for has_tls in (False, True):
            if has_tls and tls_support.is_missing():
                continue
            for head in (b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nContent-Length: 20\r\n\r\n"):
                for backend in programs.BACKENDS:
                    done = self.get_from_who_answers(head + b"half of it", has_tls, backend)
                    self.assertEqual(done.stdout, b"half of it")
                    is_told = has_tls or b"Length" in head
                    self.assertEqual(done.returncode, int(is_told), done.stderr)
                    self.assertEqual(done.stderr != b"", is_told)

    def get_from_who_answers(self, answer, has_tls, backend):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            def serve():
                connection = listening.accept()[0]
                if has_tls:
                    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                    context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
                    connection = context.wrap_socket(connection, server_side=True)
                with connection, contextlib.suppress(OSError):
                    connection.recv(1000)
                    connection.sendall(answer)
            thread = threading.Thread(target=serve)
            thread.start()
            url = f"http{'s' * has_tls}://localhost:{listening.getsockname()[1]}/"
            options = ["--cafile", str(self.folder / "our-authority.pem")] if has_tls else []
            done = self.get(url, [programs.EXE], backend, *options)
            thread.join()
            return done

    def test_says_how_it_is_used(self):
        for command, backend in self.variants():
            for wrong in ("localhost", "ftp://localhost/"):
                done = self.get(wrong, command, backend)
                self.assertEqual(done.returncode, 2)
                self.assertIn(b"usage: get_page", done.stderr)
        for wrong in ("http://", "http://[::1/", "http://a b/", "http://a/\n"):
            self.assertEqual(self.get(wrong, [programs.EXE], "epoll").returncode, 2, wrong)


if __name__ == "__main__":
    programs.main()
