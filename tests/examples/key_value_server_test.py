#!/usr/bin/env python3
"""key_value_server keeps values until their time is over.    key_value_server_test.py EXE"""
import contextlib
import shutil
import signal
import socket
import subprocess
import unittest

import programs

CONVERSATION = """\
SET a 1 -> OK
GET a -> 1
SET a two words -> OK
GET a -> two words
GET b -> (nil)
DEL a -> 1
DEL a -> 0
GET a -> (nil)
SET c -> OK
GET c ->\x20
TTL c -> -1
TTL d -> -2
EXPIRE d 5 -> 0
EXPIRE c soon -> ERR not a number of seconds
EXPIRE c 5\0 -> ERR not a number of seconds
EXPIRE c nan -> ERR not a number of seconds
EXPIRE c -1 -> ERR not a number of seconds
EXPIRE c 100 -> 1
TTL c -> 100
EXPIRE c 5.2 -> 1
TTL c -> 5
SET c anew -> OK
TTL c -> -1
EXPIRE c 100 -> 1
DEL c -> 1
TTL c -> -2
GET -> ERR a command and a key, please
JUMP up -> ERR unknown command JUMP
"""


class KeyValueServer(programs.ProgramTest):
    name = "key_value_server"

    def test_answers_each_command(self):
        for server in self.servers():
            with server.connect() as client:
                for step in CONVERSATION.splitlines():
                    command, expected = step.split(" -> ")
                    self.assertEqual(client.ask(command), expected, command)

    def test_values_are_shared_and_go_when_their_time_is_over(self):
        for server in self.servers():
            with server.connect() as one, server.connect() as two:
                one.ask("SET a 1")
                one.ask("SET b 2")
                self.assertEqual(two.ask("EXPIRE a 0"), "1")
                self.assertEqual(two.ask("EXPIRE b 60"), "1")
                while two.ask("GET a") != "(nil)":
                    pass
                self.assertEqual(one.ask("GET b"), "2")

    def test_a_line_that_is_too_long_ends_the_connection(self):
        for server in self.servers():
            with server.connect() as client:
                client.send("SET a " + "x" * 70_000 + "\n")
                self.assertEqual(client.rest(), "ERR line too long\n")

    def test_a_command_that_was_cut_off_is_none(self):
        for server in self.servers():
            self.assertEqual(self.asks(server, "SET a 100"), "OK")
            for cut_off in ("DEL a", "SET a 1", "EXPIRE a 0"):
                with server.connect() as client:
                    client.send(cut_off)
                    client.end()
                    self.assertEqual(client.rest(), "")
            self.assertEqual(self.asks(server, "GET a"), "100")

    def test_what_is_kept_is_bounded(self):
        for server in self.servers(0, 100, 0.1):
            with server.connect() as client:
                self.assertEqual([client.ask(f"SET key{i} {'x' * 10_000}") for i in range(12)],
                                 ["OK"] * 9 + ["ERR no room"] * 3)
                self.assertEqual(client.ask(f"SET key0 {'y' * 12_000}"), "OK")
                self.assertEqual(client.ask(f"SET key0 {'z' * 60_000}"), "ERR no room")
                self.assertEqual(client.ask("GET key0"), "y" * 12_000)
                self.assertEqual(client.ask("DEL key1"), "1")
                self.assertEqual(client.ask("EXPIRE key2 0"), "1")
                programs.wait_until(lambda: client.ask("GET key2") == "(nil)")
                self.assertEqual(client.ask(f"SET key0 {'z' * 30_000}"), "OK")
                client.send("".join(f"SET {i}\n" for i in range(1000)))  # they are not free
                self.assertIn("ERR no room", [client.line() for _ in range(1000)])

    def test_who_reads_nothing_or_says_nothing_has_to_go(self):
        for server in self.servers(0, 100, 1, 0.3):
            with server.connect() as silent, programs.Client(server.port, room=4096) as deaf:
                before = server.memory()
                deaf.ask("SET a " + "x" * 50_000)
                with self.assertRaises(ConnectionError):
                    while True:
                        deaf.send("GET a\n" * 10_000)
                self.assertEqual(silent.rest(), "")
                self.assertLess(server.memory() - before, 60_000_000)  # without an end: 500 MB a send

    def test_clients_are_limited(self):
        for server in self.servers(0, 1):
            with server.connect() as one:
                self.assertEqual(one.ask("SET a 1"), "OK")
                with server.connect() as two:
                    self.assertEqual(two.rest(), "ERR no place is free\n")
            programs.wait_until(lambda: self.asks(server, "GET a") == "1")

    def asks(self, server, line):
        with contextlib.suppress(ConnectionError), server.connect() as client:
            return client.ask(line)

    def test_ctrl_c_ends_it(self):
        for server in self.servers():
            with server.connect() as client:
                self.assertEqual(client.ask("SET a 1"), "OK")
                self.assertEqual(client.ask("EXPIRE a 100"), "1")
                self.assertEqual(server.stop(signal.SIGINT), 0)
            self.assertTrue(server.output.endswith("closed\n"), server.output)

    def test_standard_output_can_neither_stop_nor_end_it(self):
        for backend in programs.BACKENDS:
            for server in programs.servers_that_nobody_listens_to([programs.EXE], backend, programs.FREE_PORT):
                self.assertEqual(self.asks(server, "GET a"), "(nil)")

    def test_who_is_gone_before_it_is_looked_at_harms_nobody(self):
        for server in self.servers():
            server.meet_clients_that_are_gone("GET a\n")
            self.assertEqual(self.asks(server, "GET a"), "(nil)")

    def test_bad_arguments_are_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.assertEqual(programs.run([programs.EXE], taken.getsockname()[1]).returncode, 1)
        self.assertEqual(programs.run([programs.EXE], "port").returncode, 2)

    @unittest.skipUnless(shutil.which("nc"), "no netcat here")
    def test_netcat_is_a_client(self):
        for server in self.servers():
            done = subprocess.run(["nc", "127.0.0.1", str(server.port)], input="SET a 1\nGET a\nQUIT\n",
                                  capture_output=True, text=True, timeout=programs.TIMEOUT)
            self.assertEqual(done.stdout, "OK\n1\n")


if __name__ == "__main__":
    programs.main()
