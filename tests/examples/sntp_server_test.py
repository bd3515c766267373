#!/usr/bin/env python3
"""sntp_server tells the time, and answers nothing but questions.    sntp_server_test.py EXE"""
import socket
import struct
import sys
import time

import programs

PACKET = struct.Struct("!BBBbII4sQQQQ")
FROM_1900_TO_1970 = 2_208_988_800


def question(version=4, mode=3, transmit=0x0123456789ABCDEF):
    return PACKET.pack(version << 3 | mode, 0, 6, 0, 0, 0, bytes(4), 0, 0, 0, transmit)


class SntpServer(programs.ProgramTest):
    name = "sntp_server"

    def endpoint(self, server):
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.settimeout(programs.TIMEOUT)
        endpoint.connect(("127.0.0.1", server.port))
        return endpoint

    def test_tells_the_time(self):
        for server in self.servers(0, 3600):
            with self.endpoint(server) as endpoint:
                endpoint.send(question(version=3))
                answer = endpoint.recv(1000)
                self.assertEqual(len(answer), 48)
                first, stratum, poll, _, _, _, name, _, origin, received, sent = PACKET.unpack(answer)
                self.assertEqual((first, stratum, poll, name), (3 << 3 | 4, 1, 6, b"LOCL"))
                self.assertEqual(origin, 0x0123456789ABCDEF)
                self.assertLessEqual(received, sent)
                ahead = received / 2**32 - FROM_1900_TO_1970 - time.time()
                self.assertAlmostEqual(ahead, 3600, delta=10)

    def test_what_is_no_question_is_not_answered(self):
        for server in self.servers():
            with self.endpoint(server) as endpoint:
                bad = [b"", b"x", question()[:47], bytes(48), bytes(65_000), question(mode=4), question(mode=6),
                       question(mode=7), question(version=0), question(version=5), b"\xff" * 48]
                for data in bad:
                    endpoint.send(data)
                endpoint.send(question() + b"an extension")  # the only one that is answered
                self.assertEqual(PACKET.unpack(endpoint.recv(1000))[8], 0x0123456789ABCDEF)
                endpoint.settimeout(0.05)
                with self.assertRaises(TimeoutError):
                    endpoint.recv(1000)

    def test_tells_sntp_client(self):
        client = programs.ROOT / "examples/sntp_client.py"
        for server in self.servers(0, -1234):
            done = programs.run([sys.executable, str(client)], "127.0.0.1", server.port)
            self.assertRegex(done.stdout, r"^offset -123[34]\.\d{6} s, delay \d\.\d{6} s, stratum 1\n$")

    def test_the_address_is_taken(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind(("127.0.0.1", 0))
            for command, _ in self.variants():
                done = programs.run(command, bound.getsockname()[1])
                self.assertEqual(done.returncode, 1)
                self.assertIn("Errno 98", done.stderr)


if __name__ == "__main__":
    programs.main()
