#!/usr/bin/env python3
"""sntp_client computes the offset, and believes nobody but whom it has asked.    sntp_client_test.py EXE"""
import contextlib
import socket
import struct
import sys
import threading
import time

import programs

PACKET = struct.Struct("!BBBbII4sQQQQ")
SERVER = [sys.executable, str(programs.ROOT / "examples/sntp_server.py")]
FROM_1900_TO_1970 = 2_208_988_800


def answer_to(asked, ahead=0, first=4 << 3 | 4, stratum=2, name=b"TEST", origin=None, sent=None):
    now = int((time.time() + FROM_1900_TO_1970 + ahead) * 2**32) & (2**64 - 1)
    return PACKET.pack(first, stratum, 0, 0, 0, 0, name, now, asked if origin is None else origin, now,
                       now if sent is None else sent)


class SntpClient(programs.ProgramTest):
    name = "sntp_client"

    @contextlib.contextmanager
    def server(self, answers):
        """Sends all of answers(question's number, its transmit) for each question."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
            endpoint.bind(("127.0.0.1", 0))
            endpoint.settimeout(0.05)
            over = threading.Event()
            self.questions = []

            def serve():
                while not over.is_set():
                    with contextlib.suppress(TimeoutError):
                        data, sender = endpoint.recvfrom(1000)
                        self.questions.append(data)
                        for answer in answers(len(self.questions), PACKET.unpack(data)[10]):
                            endpoint.sendto(answer, sender)
            thread = threading.Thread(target=serve)
            thread.start()
            try:
                yield endpoint.getsockname()[1]
            finally:
                over.set()
                thread.join()

    def ask(self, command, answers):
        with self.server(answers) as port:
            return programs.run(command, "127.0.0.1", port)

    def test_is_told_by_a_server_in_python(self):
        with programs.Server(SERVER, 0, 86_400) as server:
            for command, _ in self.variants():
                done = programs.run(command, "127.0.0.1", server.port)
                self.assertRegex(done.stdout, r"^offset \+(86400|86399)\.\d{6} s, delay \d\.\d{6} s, stratum 1\n$")
                self.assertEqual((done.stderr, done.returncode), ("", 0))

    def test_a_question_says_nothing_of_who_asks(self):
        for command, _ in self.variants():
            self.ask(command, lambda number, asked: [answer_to(asked)])
            fields = PACKET.unpack(self.questions[0])
            self.assertEqual(len(self.questions), 1)
            self.assertEqual((fields[0], fields[1], fields[6:10]), (4 << 3 | 3, 0, (bytes(4), 0, 0, 0)))

    def test_believes_only_the_answer_to_its_question(self):
        def answers(number, asked):
            return [b"", b"short", bytes(48), bytes(65_000), answer_to(asked, 9, origin=asked ^ 1),
                    answer_to(asked, 9, first=4 << 3 | 3), answer_to(asked, 9)[:47],
                    answer_to(asked, 5) + b"an extension", answer_to(asked, 9)]
        for command, _ in self.variants():
            done = self.ask(command, answers)
            self.assertRegex(done.stdout, r"^offset \+(5\.0|4\.9)\d{5} s, delay \d\.\d{6} s, stratum 2\n$")

    def test_asks_again_if_one_is_lost(self):
        for command, _ in self.variants():
            done = self.ask(command, lambda number, asked: [answer_to(asked)] if number == 3 else [])
            self.assertRegex(done.stdout, r"^offset [+-]\d\.\d{6} s")
            self.assertEqual(len({PACKET.unpack(question)[10] for question in self.questions}), 3)

    def test_is_right_across_the_new_era_of_2036(self):
        ahead = 2**32 - FROM_1900_TO_1970 - int(time.time()) + 1000
        for command, _ in self.variants():
            done = self.ask(command, lambda number, asked: [answer_to(asked, ahead)])
            self.assertRegex(done.stdout, rf"^offset \+({ahead}|{ahead - 1})\.\d{{6}} s")

    def test_a_server_that_refuses_or_does_not_know(self):
        cases = {"the server refuses: RATE": {"stratum": 0, "name": b"RATE"},
                 "the server refuses: ?[2J": {"stratum": 0, "name": b"\x1b[2J"},
                 "the server does not know the time": {"first": 3 << 6 | 4 << 3 | 4}}
        for what in ({"stratum": 16}, {"sent": 0}):
            cases["the server does not know the time" + str(what)] = what
        for message, fields in cases.items():
            for command, _ in self.variants():
                done = self.ask(command, lambda number, asked, fields=fields: [answer_to(asked, **fields)])
                self.assertEqual((done.stdout, done.stderr.strip(), done.returncode), ("", message.split("{")[0], 1))

    def test_nobody_answers(self):
        for command, _ in self.variants():
            done = self.ask(command, lambda number, asked: [])
            self.assertEqual((done.stderr.strip(), done.returncode, len(self.questions)), ("no answer", 1, 3))

    def test_nobody_is_there(self):
        port = programs.free_port()
        for command, _ in self.variants():
            done = programs.run(command, "127.0.0.1", port)
            self.assertEqual((done.stderr.strip(), done.returncode), ("[Errno 111] Connection refused", 1))


if __name__ == "__main__":
    programs.main()
