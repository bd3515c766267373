#!/usr/bin/env python3
"""key_value_server keeps values until their time is over.    key_value_server_test.py EXE"""
import shutil
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

    @unittest.skipUnless(shutil.which("nc"), "no netcat here")
    def test_netcat_is_a_client(self):
        for server in self.servers():
            done = subprocess.run(["nc", "127.0.0.1", str(server.port)], input="SET a 1\nGET a\nQUIT\n",
                                  capture_output=True, text=True, timeout=programs.TIMEOUT)
            self.assertEqual(done.stdout, "OK\n1\n")


if __name__ == "__main__":
    programs.main()
