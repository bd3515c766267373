#!/usr/bin/env python3
"""Processes that lie: asyncio-inspect says something, in bounded time and memory, and does not crash."""
import os
import resource
import subprocess
import time
import unittest

from support import FORGER, INSPECT, inspect, main, running

MOST_BYTES = 3 << 30


class Lies(unittest.TestCase):
    def test_every_lie(self):
        lies = subprocess.run([FORGER, "list"], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertGreater(len(lies), 20)
        for lie in lies:
            if lie == "stuck page":
                continue
            with self.subTest(lie), running(FORGER, lie) as process:
                for command in ("ps", "pstree"):
                    started = time.monotonic()
                    code, output, errors = inspect(command, process, "--patience", "2")
                    self.assertLess(time.monotonic() - started, 40)
                    self.assertTrue(errors if code != 0 else output or command == "pstree")
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, MOST_BYTES)

    def test_a_description_that_is_not_understood_is_refused(self):
        for lie, words in (("no magic", "it is damaged, or the program has not begun yet"), ("other version", "it is of version 7,"),
                           ("other machine", "it is of another kind of machine"), ("huge offsets", "it is damaged"),
                           ("too many callbacks", "it is damaged")):
            with self.subTest(lie), running(FORGER, lie) as process:
                code, output, errors = inspect("ps", process)
                self.assertEqual((code, output), (1, ""))
                self.assertIn(words, errors)

    def test_the_forged_world_is_one_that_would_be_believed(self):
        for world in "true", "older":
            with self.subTest(world), running(FORGER, world) as process:
                code, output, _ = inspect("ps", process)
                self.assertEqual(code, 0)
                self.assertRegex(output, r"^loop at 0x[0-9a-f]+, 10 tasks, ")
                self.assertEqual(output.count(" waits name -> name -> name file.cpp:42 "), 10)

    def test_what_changes_all_the_time(self):
        for seed in range(4):
            with running(FORGER, f"scribble {seed}") as process:
                for _ in range(3):
                    inspect("ps", process, "--json", "--patience", "2")
                    inspect("pstree", process, "--patience", "2")

    def test_memory_that_never_comes(self):
        process = subprocess.Popen([FORGER, "stuck page"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() == "ready\n":
            code, output, errors = inspect("ps", process, "--patience", "1")
            if code == 1:
                self.assertIn("does not come: gave up", errors)
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main()
