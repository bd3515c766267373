#!/usr/bin/env python3
"""netcat sends its input, whatever that is, and prints what comes back.    netcat_test.py EXE"""
import contextlib
import os
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import programs

BIG = os.urandom(3_000_000)


@contextlib.contextmanager
def server(serve):
    """Calls serve(socket) for one client, and gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def accept():
            with listening.accept()[0] as client:
                serve(client)
        thread = threading.Thread(target=accept)
        thread.start()
        yield str(listening.getsockname()[1])
        thread.join()


def echo(client):
    """All of it, in the end."""
    data = b""
    while part := client.recv(1_000_000):
        data += part
    client.sendall(data)


class Netcat(programs.ProgramTest):
    name = "netcat"

    def commands(self):
        for command, backend in self.variants():
            yield command, {**os.environ, "ASYNCIO_IO_BACKEND": backend}

    def test_input_and_output_are_pipes(self):
        for command, env in self.commands():
            with server(echo) as port:
                done = subprocess.run([*command, "127.0.0.1", port], input=BIG, capture_output=True, env=env, timeout=60)
            self.assertEqual((done.stdout == BIG, done.stderr, done.returncode), (True, b"", 0))

    def test_input_and_output_are_files(self):
        for command, env in self.commands():
            with server(echo) as port, tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
                source.write(BIG)
                source.seek(0)
                target.write(b"before ")
                target.flush()
                done = subprocess.run([*command, "127.0.0.1", port], stdin=source, stdout=target, env=env, timeout=60)
                target.seek(0)
                self.assertEqual((target.read() == b"before " + BIG, done.returncode), (True, 0))

    def test_there_is_no_input(self):
        for backend in programs.BACKENDS:  # Python refuses /dev/null
            with server(lambda client: client.sendall(b"hello")) as port:
                done = programs.run([programs.EXE], "127.0.0.1", port,
                                    env={**os.environ, "ASYNCIO_IO_BACKEND": backend})
            self.assertEqual((done.stdout, done.stderr, done.returncode), ("hello", "", 0))

    def test_on_a_terminal_whose_mode_stays(self):
        for command, env in self.commands():
            heard = []

            def serve(client):
                heard.append(client.recv(100))
                client.sendall(b"answer\n")
            master, slave = pty.openpty()
            with server(serve) as port:
                with subprocess.Popen([*command, "127.0.0.1", port], stdin=slave, stdout=slave, env=env) as process:
                    os.write(master, b"question\n")
                    said = b""
                    while b"answer" not in said:
                        said += os.read(master, 1000)
                    if command[0] == programs.EXE:
                        self.assertTrue(os.get_blocking(slave))  # what Python leaves to its user
                self.assertEqual(process.returncode, 0)
            self.assertEqual(heard, [b"question\n"])
            os.close(master)
            os.close(slave)

    def test_nobody_reads_its_output(self):
        def serve(client):
            with contextlib.suppress(ConnectionError):
                while True:
                    client.sendall(BIG)
        for command, env in self.commands():
            with server(serve) as port:
                with subprocess.Popen([*command, "127.0.0.1", port], stdin=subprocess.DEVNULL if command[0] == programs.EXE
                                      else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      env=env) as process:
                    process.stdout.read(10)
                    process.stdout.close()
                    self.assertIn(process.wait(programs.TIMEOUT), (0, 1))

    def test_nobody_is_there(self):
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            for command, _ in self.variants():
                done = programs.run(command, "127.0.0.1", bound.getsockname()[1])
                self.assertEqual(done.returncode, 1)
                self.assertIn("Connect call failed", done.stderr)

    @unittest.skipUnless(shutil.which("socat"), "no socat here")
    def test_with_socat(self):
        for command, env in self.commands():
            port = programs.free_port()
            with subprocess.Popen(["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr", "EXEC:cat"]) as other:
                def done():
                    ended = subprocess.run([*command, "127.0.0.1", str(port)], input=BIG, capture_output=True, env=env,
                                           timeout=60)
                    return ended.returncode == 0 and ended.stdout == BIG
                programs.wait_until(done)
                other.wait()

    def test_usage(self):
        done = programs.run([programs.EXE])
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    programs.main()
