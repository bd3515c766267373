#!/usr/bin/env python3
"""echo_server gives everybody their own bytes back.    echo_server_test.py EXE"""
import random
import shutil
import signal
import socket
import struct
import subprocess
import unittest

import programs


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
            self.assertTrue(server.output.endswith("closed\n"), server.output)

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

    def test_a_reset_concerns_one_client_only(self):
        for server in self.servers():
            with server.connect() as stays, server.connect() as goes:
                self.assertEqual(goes.ask("x"), "x")
                goes.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                goes.close()
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
                self.assertIn(server.stop(signal.SIGINT), (0, 130))

    def test_a_port_in_use_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for command, _ in self.variants():
                done = programs.run(command, port)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"('127.0.0.1', {port})", done.stderr)


if __name__ == "__main__":
    programs.main()
