#!/usr/bin/env python3
"""echo_server gives everybody their own bytes back.    echo_server_test.py EXE"""
import contextlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import programs
import tls_support


class EchoServer(programs.ProgramTest):
    name = "echo_server"

    def test_sends_back_what_it_gets_to_each_client(self):
        for server in self.servers():
            with server.connect() as one, server.connect() as two:
                for client in (one, two, one):
                    self.assertEqual(client.ask("hello"), "hello")
                one.socket.shutdown(socket.SHUT_WR)
                self.assertEqual(one.rest(), "")
            server.stop()
            self.assertIn("goodbye after 12 bytes", server.output)
            self.assertIn("\nclosed\n", server.output)

    def test_random_chunks_come_back_in_order(self):
        chance = random.Random(1)
        for server in self.servers():
            with server.connect() as client:
                data = chance.randbytes(200_000)
                sent = received = 0
                while received < len(data):
                    size = chance.choice((1, 7, 1000, 30_000))
                    client.send(data[sent:sent + size])
                    sent = min(sent + size, len(data))
                    wanted = chance.randint(0, sent - received) if sent < len(data) else len(data) - received
                    self.assertEqual(client.file.read(wanted), data[received:received + wanted])
                    received += wanted

    def certificates(self):
        if tls_support.is_missing():
            self.skipTest("built without TLS")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        tls_support.make_certificates(folder.name)
        return folder.name

    def test_by_tls_too(self):
        folder = self.certificates()
        context = ssl.create_default_context(cafile=f"{folder}/our-authority.pem")
        for server in self.servers("--cert", f"{folder}/cert.pem", "--key", f"{folder}/key.pem", 0, 10):
            with server.connect() as plain, server.connect() as wrapped:
                plain.send("hello\n")
                with contextlib.suppress(ConnectionError):
                    self.assertNotIn("hello", plain.rest())
                secret = context.wrap_socket(wrapped.socket, server_hostname="localhost")
                with secret.makefile("rb") as file:  # not by two threads: Python's SSLSocket is for one at a time
                    for block in (random.Random(i).randbytes(30_000) for i in range(100)):
                        secret.sendall(block)
                        self.assertEqual(file.read(len(block)), block)
                secret.unwrap().close()
            server.stop()
            self.assertIn("goodbye after 3000000 bytes", server.output)

    @unittest.skipUnless(shutil.which("openssl"), "no openssl here")
    def test_openssl_is_a_client(self):
        folder = self.certificates()
        for server in self.servers("--cert", f"{folder}/cert.pem", "--key", f"{folder}/key.pem"):
            for version in ("-tls1_2", "-tls1_3"):
                command = ["openssl", "s_client", "-connect", f"localhost:{server.port}", version, "-quiet",
                           "-CAfile", f"{folder}/our-authority.pem", "-verify_return_error"]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL) as client:
                    client.stdin.write(b"hello\n")
                    client.stdin.flush()
                    self.assertEqual(client.stdout.readline(), b"hello\n")
                    client.terminate()

    def test_a_reset_concerns_one_client_only(self):
        for server in self.servers():
            with server.connect() as stays, server.connect() as goes:
                self.assertEqual(goes.ask("x"), "x")
                goes.reset()
                self.assertEqual(stays.ask("still here?"), "still here?")
            server.stop()
            self.assertIn("[Errno 104] Connection reset by peer", server.output)

    @unittest.skipUnless(shutil.which("nc"), "no netcat here")
    def test_netcat_is_a_client(self):
        for server in self.servers():
            text = "".join(f"line {i}\n" for i in range(10_000))
            done = subprocess.run(["nc", "-N", "127.0.0.1", str(server.port)], input=text, capture_output=True, text=True,
                                  timeout=programs.TIMEOUT)
            self.assertEqual(done.stdout, text)

    def test_ctrl_c_ends_it(self):
        for server in self.servers():
            with server.connect() as client:
                self.assertEqual(client.ask("x"), "x")
                self.assertEqual(server.stop(signal.SIGINT), 0)
            self.assertTrue(server.output.endswith("closed\n"), server.output)

    def test_who_reads_nothing_does_not_hold_up_the_end(self):
        for server in self.servers(0, 100, 1):
            with self.deaf(server):
                server.stop()  # within the test's time

    def test_who_reads_nothing_or_says_nothing_has_to_go(self):
        for server in self.servers(0, 100, 0.3):
            with self.deaf(server) as deaf, server.connect() as silent, server.connect() as idle:
                idle.socket.shutdown(socket.SHUT_RD)
                self.assertEqual(silent.rest(), "")
                with contextlib.suppress(ConnectionError):
                    while deaf.socket.recv(1_000_000):
                        pass
            server.stop()
            self.assertEqual(server.output.count(": too slow\n"), 3, server.output)

    def deaf(self, server):
        """A client that sends as much as is taken from it, and reads nothing."""
        client = programs.Client(server.port, room=4096)
        client.socket.setblocking(False)
        last = time.monotonic()
        while time.monotonic() - last < 0.2:
            with contextlib.suppress(BlockingIOError):
                client.socket.send(b"x" * 100_000)
                last = time.monotonic()
            time.sleep(0.001)
        client.socket.settimeout(programs.TIMEOUT)
        return client

    def test_clients_are_limited(self):
        for server in self.servers(0, 2):
            with server.connect() as one, server.connect() as two:
                self.assertEqual((one.ask("x"), two.ask("x")), ("x", "x"))
                with server.connect() as three:
                    self.assertEqual(three.rest(), "")
                one.close()
                programs.wait_until(lambda: self.is_served(server))

    def is_served(self, server):
        with server.connect() as client:
            try:
                return client.ask("x") == "x"
            except ConnectionError:
                return False

    def test_standard_output_can_neither_stop_nor_end_it(self):
        for backend in programs.BACKENDS:
            for server in programs.servers_that_nobody_listens_to([programs.EXE], backend, programs.FREE_PORT):
                for _ in range(30):
                    with server.connect() as client:
                        self.assertEqual(client.ask("x"), "x")

    def test_who_is_gone_before_it_is_looked_at_harms_nobody(self):
        for server in self.servers():
            server.meet_clients_that_are_gone("hello")
            self.assertTrue(self.is_served(server))

    def test_a_port_in_use_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for command, _ in self.variants():
                done = programs.run(command, port)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"('127.0.0.1', {port})", done.stderr)


if __name__ == "__main__":
    programs.main()
