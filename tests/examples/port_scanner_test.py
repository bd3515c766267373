#!/usr/bin/env python3
"""port_scanner finds the ports that answer.    port_scanner_test.py EXE"""
import shutil
import signal
import socket
import subprocess
import time
import unittest

import programs

# A shell in a network of its own, if that may be had.
ALONE = ["unshare", "--map-root-user", "--net", "sh", "-c"]
if not shutil.which("unshare") or not shutil.which("ip") or programs.run(ALONE, "ip link set lo up").returncode != 0:
    ALONE = None


class PortScanner(programs.ProgramTest):
    name = "port_scanner"

    def test_finds_what_listens_among_what_does_not(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            for command, _ in self.variants():
                done = programs.run(command, max(1, port - 300), min(65535, port + 300))
                self.assertIn(f"port {port} is open\n", done.stdout)
                self.assertRegex(done.stdout, r"\n\d+ of \d{3} are open\n\Z")
                self.assertEqual(done.returncode, 0)
        for command, _ in self.variants():
            done = programs.run(command, port)
            self.assertEqual(done.stdout, "0 of 1 are open\n")

    @unittest.skipUnless(ALONE, "no network of one's own here")
    def test_a_socket_that_talks_to_itself_is_no_open_port(self):
        script = "ip link set lo up && echo 40000 40001 >/proc/sys/net/ipv4/ip_local_port_range && exec \"$@\""
        for command, _ in self.variants():
            for _ in range(5):
                done = subprocess.run([*ALONE, script, "sh", *command, "40000", "40001"], capture_output=True, text=True,
                                      timeout=programs.TIMEOUT)
                self.assertEqual(done.stdout.splitlines()[-1], "0 of 2 are open", done)

    def test_few_descriptors_are_enough(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = min(listening.getsockname()[1], 65000)
            done = programs.run([programs.EXE], port, port + 300, preexec_fn=lambda: programs.limit_descriptors(50))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(f"port {port} is open\n", done.stdout)

    def test_ctrl_c_ends_it(self):
        with subprocess.Popen([programs.EXE], stdout=subprocess.DEVNULL) as scanner:
            time.sleep(0.3)
            scanner.send_signal(signal.SIGINT)
            self.assertEqual(scanner.wait(programs.TIMEOUT), 130)

    def test_says_how_it_is_used(self):
        for command, _ in self.variants():
            for arguments in (("0",), ("5", "4"), ("1", "65536")):
                done = programs.run(command, *arguments)
                self.assertEqual((done.returncode, done.stderr), (2, "usage: port_scanner [FIRST [LAST]]\n"))


if __name__ == "__main__":
    programs.main()
