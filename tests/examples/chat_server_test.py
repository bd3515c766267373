#!/usr/bin/env python3
"""chat_server tells everybody what the others say.    chat_server_test.py EXE"""
import contextlib
import selectors
import signal
import socket
import time

import programs


class ChatServer(programs.ProgramTest):
    name = "chat_server"

    def enter(self, server, name, here):
        guest = server.connect()
        guest.until("Your name? ")
        answer = guest.ask(name)
        self.assertEqual(answer, f"Hello {name}. Here: {here}" if here is not None else answer)
        return guest

    def test_what_one_says_is_told_to_all_others(self):
        for server in self.servers():
            with self.enter(server, "Ann", "nobody") as ann, self.enter(server, "Bob", "Ann") as bob:
                self.assertEqual(ann.line(), "* Bob comes in")
                with self.enter(server, "Cid", "Ann Bob") as cid:
                    for guest in (ann, bob):
                        self.assertEqual(guest.line(), "* Cid comes in")
                    cid.send("hi all\r\n")
                    for guest in (ann, bob):
                        self.assertEqual(guest.line(), "Cid: hi all")
                    ann.send("hello\n\n\n")
                    for guest in (bob, cid):
                        self.assertEqual(guest.line(), "Ann: hello")
                for guest in (ann, bob):
                    self.assertEqual(guest.line(), "* Cid leaves")

    def test_a_name_is_for_one(self):
        for server in self.servers():
            with self.enter(server, "Ann", "nobody"), server.connect() as other:
                other.until("Your name? ")
                for bad in ("Ann", "", "x" * 21, "* Ann"):
                    self.assertEqual(other.ask(bad), "That one is taken, empty, too long, or has odd characters.")
                    other.until("Your name? ")
                self.assertEqual(other.ask("Bob"), "Hello Bob. Here: Ann")

    def test_who_leaves_without_a_name_is_not_missed(self):
        for server in self.servers():
            with self.enter(server, "Ann", "nobody") as ann:
                with server.connect() as other:
                    other.until("Your name? ")
                with self.enter(server, "Bob", "Ann") as bob:
                    self.assertEqual(ann.line(), "* Bob comes in")
                    bob.socket.shutdown(socket.SHUT_WR)
                    self.assertEqual(bob.rest(), "")
                self.assertEqual(ann.line(), "* Bob leaves")

    def test_who_never_reads_holds_up_nobody_and_is_thrown_out(self):
        line = "x" * 990 + "\n"
        for server in self.servers():
            with self.deaf(server, "Deaf") as deaf, contextlib.ExitStack() as stack:
                talking = [stack.enter_context(self.enter(server, f"Guest{i}", None)) for i in range(10)]
                stack.callback(deaf.close)
                selector = stack.enter_context(selectors.DefaultSelector())
                for guest in talking:
                    selector.register(guest.socket, selectors.EVENT_READ)
                    guest.socket.setblocking(False)
                heard = b""
                deadline = time.monotonic() + programs.TIMEOUT
                while b"* Deaf leaves\n" not in heard:
                    self.assertLess(time.monotonic(), deadline)
                    for guest in talking:
                        with contextlib.suppress(BlockingIOError):
                            guest.socket.send(line.encode() * 10)
                    for key, _ in selector.select(0.01):
                        got = key.fileobj.recv(1_000_000)
                        self.assertTrue(got, "somebody who reads is thrown out")
                        if key.fileobj is talking[0].socket:
                            heard = heard[-20:] + got
            self.assertEqual(server.stop(), 0)
            self.assertIn("Deaf does not read", server.output)

    def deaf(self, server, name):
        client = programs.Client(server.port, room=4096)
        client.send(name + "\n")
        client.until(f"Hello {name}.")
        return client

    def test_who_gives_no_name_and_reads_nothing_costs_nothing(self):
        for server in self.servers():
            with self.enter(server, "Ann", None), programs.Client(server.port, room=4096) as nameless:
                before = server.memory()
                with contextlib.suppress(ConnectionError, TimeoutError):
                    nameless.socket.settimeout(5)
                    for _ in range(100):
                        nameless.send("\n" * 50_000)
                self.assertLess(server.memory() - before, 20_000_000)

    def test_who_is_silent_has_to_go(self):
        for server in self.servers(0, 100, 0.3, 0.6):
            with server.connect() as nameless, self.enter(server, "Ann", None) as ann:
                self.assertEqual(nameless.rest(), "Your name? ")
                self.assertEqual(ann.rest(), "")
            server.stop()
            self.assertEqual(server.output.count(" is silent\n"), 2, server.output)

    def test_a_place_that_is_left_is_free_again(self):
        for server in self.servers(0, 2):
            with self.enter(server, "Ann", "nobody") as ann:
                with self.enter(server, "Bob", "Ann") as bob:
                    with server.connect() as cid:
                        self.assertEqual(cid.rest(), "No place is free.\n")
                    bob.send("x" * 3000)
                    self.assertEqual(bob.rest(), "")
                self.assertEqual(ann.line(), "* Bob comes in")
                self.assertEqual(ann.line(), "* Bob leaves")
                programs.wait_until(lambda: self.is_asked(server))

    def is_asked(self, server):
        with server.connect() as client:
            return client.file.read(1) == b"Y"

    def test_nobody_can_write_to_the_terminal_of_another(self):
        for server in self.servers():
            with self.enter(server, "Ann", "nobody") as ann, self.enter(server, "Bob", "Ann") as bob:
                bob.send("\x1b[2J\x9b\u009d\u00e9\t\n".encode())
                self.assertEqual(ann.line(), "* Bob comes in")
                self.assertEqual(ann.line(), "Bob: ?[2J??\u00e9?")
                for name in ("a\x1b", "a\u0085", "a\0", "a b", "Ann:"):
                    with server.connect() as other:
                        other.send(name + "\n")
                        self.assertIn("odd characters", other.line())

    def test_standard_output_can_neither_stop_nor_end_it(self):
        for backend in programs.BACKENDS:
            for server in programs.servers_that_nobody_listens_to([programs.EXE], backend, programs.FREE_PORT):
                for i in range(3):
                    with self.enter(server, f"Ann{i}", None):
                        pass

    def test_ctrl_c_ends_it_whoever_is_there(self):
        for server in self.servers():
            with self.enter(server, "Ann", "nobody") as ann, server.connect() as other:
                other.until("Your name? ")
                self.assertEqual(server.stop(signal.SIGINT), 0)
                self.assertNotIn("Error", ann.rest())
            self.assertTrue(server.output.endswith("closed\n"), server.output)

    def test_who_is_gone_before_it_is_looked_at_harms_nobody(self):
        for server in self.servers():
            server.meet_clients_that_are_gone("Ann\nhello\n")
            with self.enter(server, "Bob", None):
                pass

    def test_bad_arguments_are_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.assertEqual(programs.run([programs.EXE], taken.getsockname()[1]).returncode, 1)
        for arguments in (("port",), ("65536",), ("0", "0"), ("0", "1", "nan"), ("0", "1", "1", "1", "1")):
            self.assertEqual(programs.run([programs.EXE], *arguments).returncode, 2, arguments)


if __name__ == "__main__":
    programs.main()
