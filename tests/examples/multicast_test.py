#!/usr/bin/env python3
"""multicast says words to a group and prints what comes.    multicast_test.py EXE"""
import socket
import sys

import programs

HERE, GROUP, OTHER = "127.0.0.1", "239.255.77.1", "239.255.77.2"
TWIN = [sys.executable, str(programs.ROOT / "examples/multicast.py")]


class Multicast(programs.ProgramTest):
    name = "multicast"

    def send(self, port, group, *texts):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HERE))
            for text in texts:
                sender.sendto(text, (group, port))

    def test_members_hear_each_other_and_themselves(self):
        for first in self.servers(HERE, GROUP, 0):
            port = first.port
            with programs.Server(TWIN, HERE, GROUP, port, "hello", "everybody") as second:
                said = f"{HERE}:{port} says hello\n{HERE}:{port} says everybody\n"
                programs.wait_until(lambda: first.output == said and second.output == said)
                with programs.Server([programs.EXE], HERE, GROUP, port, "I"):
                    programs.wait_until(lambda: second.output == said + f"{HERE}:{port} says I\n")

    def test_what_others_send_is_printed_so_that_it_harms_nobody(self):
        for member in self.servers(HERE, GROUP, 0):
            self.send(member.port, GROUP, b"", b"\x1b[2J\xff\n127.0.0.1:1 says lies", b"x" * 60_000, b"the last")
            programs.wait_until(lambda: member.output.endswith(" says the last\n"))
            lines = [line.split(" says ", 1)[1] for line in member.output.splitlines()]
            self.assertEqual(lines[:2], ["", "?[2J??127.0.0.1:1 says lies"])
            self.assertEqual(set(lines[2]), {"x"})

    def test_other_groups_and_its_own_address_are_not_heard(self):
        for member in self.servers(HERE, GROUP, 0):
            with programs.Server(TWIN, HERE, OTHER, member.port) as other:
                self.send(member.port, OTHER, b"for others")
                programs.wait_until(lambda: other.output)
                self.send(member.port, HERE, b"for one")
                self.send(member.port, GROUP, b"for all")
                programs.wait_until(lambda: member.output)
                self.assertTrue(member.output.endswith(" says for all\n"))
                self.assertEqual(member.output.count("\n"), 1)

    def test_what_is_no_group(self):
        for command, _ in self.variants():
            for interface, group in (("nobody", GROUP), (HERE, "127.0.0.1"), (HERE, "ff02::1"), (HERE, "")):
                done = programs.run(command, interface, group, 0)
                self.assertEqual(done.returncode, 1)
                self.assertIn("an IPv4 address and a group, 224.0.0.0 to 239.255.255.255, were expected", done.stderr)
            done = programs.run(command, "192.0.2.77", GROUP, 0)
            self.assertEqual((done.returncode, done.stderr), (1, "[Errno 19] No such device\n"))


if __name__ == "__main__":
    programs.main()
