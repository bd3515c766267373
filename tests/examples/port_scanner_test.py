#!/usr/bin/env python3
"""port_scanner finds the ports that answer.    port_scanner_test.py EXE"""
import socket

import programs


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

    def test_says_how_it_is_used(self):
        for command, _ in self.variants():
            for arguments in (("0",), ("5", "4"), ("1", "65536")):
                done = programs.run(command, *arguments)
                self.assertEqual((done.returncode, done.stderr), (2, "usage: port_scanner [FIRST [LAST]]\n"))


if __name__ == "__main__":
    programs.main()
