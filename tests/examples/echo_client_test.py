#!/usr/bin/env python3
"""echo_client says what it sent and received, and why it could not.    echo_client_test.py EXE"""
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import programs
import tls_support

SERVER = [sys.executable, str(programs.ROOT / "examples/echo_server.py")]


class EchoClient(programs.ProgramTest):
    name = "echo_client"

    def test_talks_to_a_server_in_python(self):
        with programs.Server(SERVER) as server:
            for command, _ in self.variants():
                done = programs.run(command, "127.0.0.1", server.port, "hello", "world")
                self.assertEqual(done.stdout, "sent hello\nreceived hello\nsent world\nreceived world\n")
                self.assertEqual(done.returncode, 0)

    def test_talks_by_tls_to_whom_it_trusts(self):
        if tls_support.is_missing():
            self.skipTest("built without TLS")
        with tempfile.TemporaryDirectory() as folder:
            tls_support.make_certificates(folder)
            with programs.Server([*SERVER, "--cert", f"{folder}/cert.pem", "--key", f"{folder}/key.pem"]) as server:
                for command, backend in self.variants():
                    env = {**os.environ, "ASYNCIO_IO_BACKEND": backend}
                    trust = ("--cafile", f"{folder}/our-authority.pem")
                    done = programs.run(command, *trust, "localhost", server.port, "hello", "world", env=env)
                    self.assertEqual(done.stdout, "sent hello\nreceived hello\nsent world\nreceived world\n", done.stderr)
                    self.assertEqual(done.returncode, 0)
                    done = programs.run(command, "--cafile", "/etc/ssl/certs/ca-certificates.crt", "localhost",
                                        server.port, "hello", env=env)
                    self.assertEqual((done.stdout, done.returncode), ("", 1))
                    self.assertIn("unable to get local issuer certificate", done.stderr)
                    done = programs.run(command, *trust, "127.0.0.2", server.port, "hello", env=env)
                    self.assertEqual((done.stdout, done.returncode), ("", 1))

    def test_names_who_refused(self):
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            for command, _ in self.variants():
                done = programs.run(command, "127.0.0.1", port, "hello")
                self.assertEqual(done.stderr, f"[Errno 111] Connect call failed ('127.0.0.1', {port})\n")
                self.assertEqual(done.returncode, 1)

    def test_the_end_of_the_server_is_an_empty_answer(self):
        for command, _ in self.variants():
            with socket.create_server(("127.0.0.1", 0)) as listening:
                def hang_up():
                    with listening.accept()[0] as connection:
                        connection.recv(100)
                thread = threading.Thread(target=hang_up)
                thread.start()
                done = programs.run(command, "127.0.0.1", listening.getsockname()[1], "hello")
                thread.join()
                self.assertEqual(done.stdout, "sent hello\nreceived \n")

    def test_a_server_that_sends_no_line_is_told(self):
        for command, _ in self.variants():
            with socket.create_server(("127.0.0.1", 0)) as listening:
                def send_much():
                    with listening.accept()[0] as connection, contextlib.suppress(OSError):
                        connection.sendall(b"x" * 300_000)
                thread = threading.Thread(target=send_much)
                thread.start()
                done = programs.run(command, "127.0.0.1", listening.getsockname()[1], "hello")
                thread.join()
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("limit", done.stderr)

    def test_what_is_printed_goes_nowhere_else(self):
        for backend in programs.BACKENDS:
            with socket.create_server(("127.0.0.1", 0)) as listening:
                port = str(listening.getsockname()[1])
                environment = {**os.environ, "ASYNCIO_IO_BACKEND": backend}
                client = subprocess.Popen([programs.EXE, "127.0.0.1", port, "hello"], env=environment,
                                          preexec_fn=lambda: (os.close(0), os.close(1)))
                with listening.accept()[0] as connection:
                    self.assertEqual(connection.recv(100), b"hello\n")
                    connection.sendall(b"hello\n")
                    self.assertEqual(connection.recv(100), b"")
                self.assertEqual(client.wait(programs.TIMEOUT), 0)
            with programs.Server(SERVER) as server, open("/dev/full", "w") as full:
                self.assertEqual(subprocess.run([programs.EXE, "127.0.0.1", str(server.port), "x"], stdout=full).returncode, 1)

    def test_ctrl_c_ends_it(self):
        for backend in programs.BACKENDS:
            with socket.create_server(("127.0.0.1", 0)) as listening:
                client = subprocess.Popen([programs.EXE, "127.0.0.1", str(listening.getsockname()[1]), "hello"],
                                          env={**os.environ, "ASYNCIO_IO_BACKEND": backend}, stdout=subprocess.DEVNULL)
                with listening.accept()[0] as connection:
                    connection.recv(100)
                    client.send_signal(signal.SIGINT)
                    self.assertEqual(client.wait(programs.TIMEOUT), 130)

    def test_says_how_it_is_used(self):
        for command, _ in self.variants():
            done = programs.run(command)
            self.assertEqual(done.returncode, 2)
            self.assertIn("HOST PORT WORD", done.stderr)


if __name__ == "__main__":
    programs.main()
