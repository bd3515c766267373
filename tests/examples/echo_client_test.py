#!/usr/bin/env python3
"""echo_client says what it sent and received, and why it could not.    echo_client_test.py EXE"""
import socket
import sys
import threading

import programs

SERVER = [sys.executable, str(programs.ROOT / "examples/echo_server.py")]


class EchoClient(programs.ProgramTest):
    name = "echo_client"

    def test_talks_to_a_server_in_python(self):
        with programs.Server(SERVER) as server:
            for command, _ in self.variants():
                done = programs.run(command, "127.0.0.1", server.port, "hello", "world")
                self.assertEqual(done.stdout, "sent hello\nreceived hello\nsent world\nreceived world\n")
                self.assertEqual(done.returncode, 0)

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

    def test_says_how_it_is_used(self):
        for command, _ in self.variants():
            done = programs.run(command)
            self.assertEqual(done.returncode, 2)
            self.assertIn("HOST PORT WORD", done.stderr)


if __name__ == "__main__":
    programs.main()
