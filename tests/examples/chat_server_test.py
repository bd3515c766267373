#!/usr/bin/env python3
"""chat_server tells everybody what the others say.    chat_server_test.py EXE"""
import socket

import programs


class ChatServer(programs.ProgramTest):
    name = "chat_server"

    def enter(self, server, name, here):
        guest = server.connect()
        guest.until("Your name? ")
        self.assertEqual(guest.ask(name), f"Hello {name}. Here: {here}")
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
                for bad in ("Ann", "", "x" * 21):
                    self.assertEqual(other.ask(bad), "That one is taken, empty or too long.")
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
        for server in self.servers():
            with self.enter(server, "Deaf", "nobody") as deaf, self.enter(server, "Ann", "Deaf") as ann:
                deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                left = ""
                for _ in range(2000):
                    ann.send("x" * 20_000 + "\n")
                    ann.socket.setblocking(False)
                    try:
                        left = ann.socket.recv(100).decode()
                    except BlockingIOError:
                        pass
                    ann.socket.setblocking(True)
                    if left:
                        break
                self.assertEqual(left, "* Deaf leaves\n")


if __name__ == "__main__":
    programs.main()
