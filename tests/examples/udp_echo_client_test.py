#!/usr/bin/env python3
"""udp_echo_client says what it sent and received, and what went wrong.    udp_echo_client_test.py EXE"""
import pathlib
import shutil
import socket
import subprocess
import sys

import programs

SERVER = [sys.executable, str(programs.ROOT / "examples/udp_echo_server.py")]


class UdpEchoClient(programs.ProgramTest):
    name = "udp_echo_client"

    def test_talks_to_a_server_in_python(self):
        with programs.Server(SERVER) as server:
            for command, _ in self.variants():
                done = programs.run(command, "127.0.0.1", server.port, "hello", "world")
                self.assertEqual(done.stdout, "sent hello\nreceived hello\nsent world\nreceived world\n")
                self.assertEqual(done.returncode, 0)

    def test_talks_to_socat(self):
        assert shutil.which("socat"), "socat is missing"
        port = programs.free_port()
        with subprocess.Popen(["socat", f"UDP-RECVFROM:{port},bind=127.0.0.1,fork", "EXEC:cat"]) as server:
            try:
                programs.wait_until(lambda: f":{port:04X} " in pathlib.Path("/proc/net/udp").read_text())
                for command, _ in self.variants():
                    done = programs.run(command, "127.0.0.1", port, "hello", "socat")
                    self.assertEqual(done.stdout, "sent hello\nreceived hello\nsent socat\nreceived socat\n")
            finally:
                server.terminate()

    def test_is_told_that_nobody_is_there(self):
        port = programs.free_port()
        for command, _ in self.variants():
            done = programs.run(command, "127.0.0.1", port, "hello")
            self.assertEqual(done.stdout, "sent hello\nreceived error: [Errno 111] Connection refused\n")

    def test_tries_again_and_gives_up(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            for command, _ in self.variants():
                done = programs.run(command, "127.0.0.1", silent.getsockname()[1], "hello")
                self.assertEqual(done.stdout, "sent hello\n" * 3 + "no answer\n")


if __name__ == "__main__":
    programs.main()
