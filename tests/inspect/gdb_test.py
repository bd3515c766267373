#!/usr/bin/env python3
"""The commands and printers for gdb, on a program that runs and on a core file."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support import HAS_SANITIZER, PROGRAMS, main, running
from cores_test import core_of

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools/debuggers/asyncio_gdb.py"
WAITS = {
    "holder": "a sleep", "locks": r"a Lock at 0x[0-9a-f]+ that 'holder' holds", "event": "an Event at 0x", "gets": "a Queue 'orders' at 0x",
    "awaits": "task 'awaited'", "gathers": r"gather\(\)", "group": "a TaskGroup", "descriptor": r"file descriptor \d+, to read",
    "process": r"the end of process \d+", "runs": r"the end of process \d+", "serves": "the end of a server", "thread": "a call on another thread", "waits": "several futures",
}


def gdb(*arguments, commands):
    words = [word for command in (f"source {SCRIPT}", *commands) for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", "set print thread-events off", *words, *map(str, arguments)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.stdout


def has_debug_information(program):
    return ".debug_info" in subprocess.run(["readelf", "-SW", program], capture_output=True, text=True, check=True).stdout


class Commands(unittest.TestCase):
    def check(self, text):
        for name, waits in WAITS.items():
            self.assertRegex(text, rf"(?m)^  '{name}' waits: .*, waits for {waits}")
        self.assertRegex(text, r"(?m)^  'event' waits: outer -> middle -> inner at \S*program.cpp:\d+, waits for an Event")
        self.assertRegex(text, r"(?m)^  #0 0x[0-9a-f]+ in inner at \S*program.cpp:\d+\n  #1 .* in middle .*\n  #2 .* in outer ")
        self.assertRegex(text, r"'strange \\x1b\[31m\\n\"name\"'")
        self.assertIn("there is no task 'nobody'", text)

    COMMANDS = ["asyncio tasks", "asyncio bt event", "asyncio bt nobody"]

    def test_coroutines_have_the_names_that_the_library_gives_them(self):
        source = (SCRIPT.parents[2] / "src/errors/function_name.cpp").read_text()
        table = re.search(r"of_wrappers\[\] = \{(.*?)\n\};", source, re.S)[1]
        sys.path.insert(0, str(SCRIPT.parent))
        import asyncio_reader
        self.assertEqual(dict(re.findall(r'\{"(.+?)", "(.+?)"\}', table)), asyncio_reader.WRAPPERS)

    def test_a_program_that_runs(self):
        for program in PROGRAMS:
            with self.subTest(program), running(program, "parked") as process:
                self.check(gdb("-p", process.pid, commands=self.COMMANDS))

    @unittest.skipIf(HAS_SANITIZER, "core files of programs with AddressSanitizer are terabytes")
    def test_a_core_file(self):
        for program in PROGRAMS:
            with self.subTest(program), tempfile.TemporaryDirectory() as folder:
                self.check(gdb(program, core_of(program, folder, "parked"), commands=self.COMMANDS))

    def test_all_loops(self):
        with running(PROGRAMS[0], "loops", 4) as process:
            text = gdb("-p", process.pid, commands=["asyncio tasks"])
        self.assertEqual(len(re.findall(r"(?m)^loop at 0x[0-9a-f]+, in thread \d+$", text)), 4)
        self.assertEqual(len(re.findall("(?m)^  'Task-[1-4]' waits: ", text)), 4)

    def test_without_a_process_or_without_asyncio(self):
        self.assertIn("has not begun yet", gdb(PROGRAMS[0], commands=["asyncio tasks"]))
        self.assertIn("has no asyncio for C++ in it", gdb("/bin/true", commands=["asyncio tasks"]))

    def test_variables_of_a_frame_and_printers(self):
        if not has_debug_information(PROGRAMS[0]):
            self.skipTest("built without -g")
        with running(PROGRAMS[0], "parked") as process:
            text = gdb("-p", process.pid, commands=["asyncio frame event", "asyncio frame Task-1 1", "asyncio frame event 7",
                                                    "print sizeof($asyncio_frame) > 32"])
        self.assertRegex(text, r"(?m)^#0 0x[0-9a-f]+ in inner at .*\nevent = Event unset, waiters:\d+$")
        self.assertRegex(text, r"(?m)^lock = Lock that 'holder' holds, waiters:1$")
        self.assertRegex(text, r"(?m)^semaphore = Semaphore value:0, waiters:1$")
        self.assertRegex(text, r"(?m)^condition = Condition, its Lock is unlocked, waiters:1$")
        self.assertRegex(text, r"(?m)^barrier = Barrier filling, waiters:1/3$")
        self.assertRegex(text, rf"(?m)^loop = EventLoop at 0x[0-9a-f]+, in thread {process.pid}, tasks:\d\d$")
        self.assertRegex(text, r"(?m)^full = Queue items:1/1, unfinished:1$")
        self.assertRegex(text, r"(?m)^future = Future pending$")
        self.assertRegex(text, r"(?m)^awaited = Task pending 'awaited': a_while at \S*program.cpp:\d+, waits for a sleep$")
        self.assertIn("task 'event' has 3 coroutines", text)
        self.assertRegex(text, r"(?m)^\$1 = (true|1)$")

    def test_a_group(self):
        if not has_debug_information(PROGRAMS[0]):
            self.skipTest("built without -g")
        with running(PROGRAMS[0], "parked") as process:
            where = re.search("a TaskGroup at (0x[0-9a-f]+)", gdb("-p", process.pid, commands=["asyncio bt group"]))[1]
            text = gdb("-p", process.pid, commands=["set language c++", f"print *(asyncio::TaskGroup*){where}"])
        self.assertIn("$1 = TaskGroup entered, tasks:1\n", text)


if __name__ == "__main__":
    main()
