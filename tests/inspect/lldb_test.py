#!/usr/bin/env python3
"""The commands and summaries for lldb, on a program that runs and on a core file: what gdb_test.py wants of gdb."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from support import HAS_SANITIZER, PROGRAMS, SECONDS, main, running
from cores_test import core_of
from gdb_test import WAITS, has_debug_information

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools/debuggers/asyncio_lldb.py"
LLDB = os.environ.get("LLDB_PROGRAM", "lldb")


def lldb(*arguments, commands, script=f"command script import {SCRIPT}"):
    """What it says, up to the first command that fails."""
    words = [word for command in (script, *commands) for word in ("-o", command)]
    done = subprocess.run([LLDB, "--no-lldbinit", "-b", *map(str, arguments), *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
    return done.stdout


def setUpModule():
    if "It is 42" not in lldb(commands=[], script="script print('It is', 6 * 7)"):
        raise unittest.SkipTest("this lldb has no Python")


def write(address, number):
    """A command that writes a word where the expression in Python says."""
    return f"script lldb.process.WriteMemory({address}, ({number}).to_bytes(8, 'little'), lldb.SBError())"


SYMBOL = "lldb.target.FindSymbols('asyncio_inspect_v1')[0].symbol.addr.GetLoadAddress(lldb.target)"
LOOPS = f"lldb.process.ReadPointerFromMemory({SYMBOL} + 24, lldb.SBError())"  # Description::loops


class Commands(unittest.TestCase):
    def check(self, text):
        for name, waits in WAITS.items():
            self.assertRegex(text, rf"(?m)^  '{name}' waits: .*, waits for {waits}")
        self.assertRegex(text, r"(?m)^  'event' waits: outer -> middle -> inner at \S*program.cpp:\d+, waits for an Event")
        self.assertRegex(text, r"(?m)^  #0 0x[0-9a-f]+ in inner at \S*program.cpp:\d+\n  #1 .* in middle .*\n  #2 .* in outer ")
        self.assertRegex(text, r"'strange \\x1b\[31m\\n\"name\"'")
        self.assertRegex(text, r"(?m)^error: there is no task 'nobody'")

    COMMANDS = ["asyncio tasks", "asyncio bt event", "asyncio bt nobody"]

    def test_a_program_that_runs(self):
        for program in PROGRAMS:
            with self.subTest(program), running(program, "parked") as process:
                self.check(lldb("-p", process.pid, commands=self.COMMANDS))
                self.assertIsNone(process.poll())

    @unittest.skipIf(HAS_SANITIZER, "core files of programs with AddressSanitizer are terabytes")
    def test_a_core_file(self):
        for program in PROGRAMS:
            with self.subTest(program), tempfile.TemporaryDirectory() as folder:
                self.check(lldb("-c", core_of(program, folder, "parked"), program, commands=self.COMMANDS))

    def test_all_loops(self):
        with running(PROGRAMS[0], "loops", 4) as process:
            text = lldb("-p", process.pid, commands=["asyncio tasks", "asyncio bt"])
        self.assertEqual(len(re.findall(r"(?m)^loop at 0x[0-9a-f]+, in thread \d+$", text)), 4)
        self.assertEqual(len(re.findall("(?m)^  'Task-[1-4]' waits: ", text)), 8)
        self.assertGreaterEqual(len(re.findall("(?m)^  #0 0x[0-9a-f]+ in ", text)), 4)

    def test_without_a_process_or_without_asyncio(self):
        self.assertIn("error: the program has not begun yet", lldb(PROGRAMS[0], commands=["asyncio tasks"]))
        self.assertIn("has no asyncio for C++ in it", lldb("/bin/true", commands=["asyncio tasks"]))
        self.assertIn("has no asyncio for C++ in it", lldb(commands=["asyncio tasks"]))

    def test_damaged_memory_is_told_in_a_line(self):
        with running(PROGRAMS[0], "parked") as process:
            for pointer in (0x10, (1 << 64) - 1):
                text = lldb("-p", process.pid, commands=[write(LOOPS, pointer), "asyncio tasks"])
                self.assertRegex(text, r"\nerror: the memory there cannot be read: .*0x[0-9a-f]+\n$")
            text = lldb("-p", process.pid, commands=[write(f"{SYMBOL} + 8", 77), "asyncio tasks"])
            self.assertRegex(text, r"\nerror: the program's asyncio describes itself in version 77, .*\n$")
            text = lldb("-p", process.pid, commands=[write(SYMBOL, 0), "asyncio tasks"])
            self.assertRegex(text, r"\nerror: the program has not begun yet\n$")

    def test_variables_of_a_frame_and_summaries(self):
        if not has_debug_information(PROGRAMS[0]):
            self.skipTest("built without -g")
        with running(PROGRAMS[0], "parked") as process:
            text = lldb("-p", process.pid, commands=["asyncio bt group", "asyncio frame event", "asyncio frame Task-1 1",
                                                     "asyncio frame event 7"])
            where = re.search("a TaskGroup at (0x[0-9a-f]+)", text)[1]
            group = f"'group', lldb.SBAddress({where}, lldb.target), lldb.target.FindFirstType('asyncio::TaskGroup')"
            text += lldb("-p", process.pid, commands=[f"script print(lldb.target.CreateValueFromAddress({group}))"])
        self.assertRegex(text, r"(?m)^#0 0x[0-9a-f]+ in inner at .*\nevent = Event unset, waiters:\d+$")
        self.assertRegex(text, r"(?m)^lock = Lock that 'holder' holds, waiters:1$")
        self.assertRegex(text, r"(?m)^semaphore = Semaphore value:0, waiters:1$")
        self.assertRegex(text, r"(?m)^condition = Condition, its Lock is unlocked, waiters:1$")
        self.assertRegex(text, r"(?m)^barrier = Barrier filling, waiters:1/3$")
        self.assertRegex(text, rf"(?m)^loop = EventLoop at 0x[0-9a-f]+, in thread {process.pid}, tasks:\d\d$")
        self.assertRegex(text, r"(?m)^full = Queue items:1/1, unfinished:1$")
        self.assertRegex(text, r"(?m)^future = Future pending$")
        self.assertRegex(text, r"(?m)^awaited = Task pending 'awaited': a_while at \S*program.cpp:\d+, waits for a sleep$")
        self.assertNotRegex(text, r"(?m)^(_|D\.|Aw|Is|Fs)")
        self.assertIn("error: task 'event' has 3 coroutines", text)
        self.assertRegex(text, r"(?m)^\(asyncio::TaskGroup\) group = TaskGroup entered, tasks:1$")


if __name__ == "__main__":
    main()
