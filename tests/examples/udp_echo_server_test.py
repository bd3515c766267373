#!/usr/bin/env python3
"""udp_echo_server sends datagrams back, to Python's asyncio as to anybody.    udp_echo_server_test.py EXE"""
import shutil
import socket
import subprocess
import sys

import programs


class UdpEchoServer(programs.ProgramTest):
    name = "udp_echo_server"

    def test_every_datagram_comes_back(self):
        for server in self.servers():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(programs.TIMEOUT)
                for data in (b"hello", b"x" * 65507, b"bye"):
                    client.sendto(data, ("127.0.0.1", server.port))
                    self.assertEqual(client.recvfrom(70000), (data, ("127.0.0.1", server.port)))
            server.stop()
            self.assertEqual(server.output, "closed\n")

    def test_clients_in_cpp_and_in_python_are_answered(self):
        folder = programs.pathlib.Path(programs.EXE).parent
        client = programs.ROOT / "examples/udp_echo_client.py"
        for server in self.servers():
            for command in ([str(folder / "udp_echo_client")], [sys.executable, str(client)]):
                done = subprocess.run([*command, "127.0.0.1", str(server.port), "hello", "world"],
                                      stdout=subprocess.PIPE, text=True, timeout=programs.TIMEOUT)
                self.assertEqual(done.stdout, "sent hello\nreceived hello\nsent world\nreceived world\n")

    def test_socat_is_answered(self):
        assert shutil.which("socat"), "socat is missing"
        for server in self.servers():
            done = subprocess.run(["socat", "-t1", "-", f"UDP:127.0.0.1:{server.port},shut-null"], input=b"by socat",
                                  stdout=subprocess.PIPE, timeout=programs.TIMEOUT)
            self.assertIn(b"by socat", done.stdout)

    def test_a_port_that_is_taken_is_told(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind(("127.0.0.1", 0))
            for command, _ in self.variants():
                done = programs.run(command, bound.getsockname()[1])
                self.assertEqual(done.returncode, 1)
                self.assertIn("Address already in use", done.stderr)


if __name__ == "__main__":
    programs.main()
