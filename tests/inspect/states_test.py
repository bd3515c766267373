#!/usr/bin/env python3
"""asyncio-inspect on programs in different states.

states_test.py INSPECT FORGER PROGRAM...
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from support import HAS_SANITIZER, INSPECT, PROGRAMS, Look, inspect, main, running

WAITS = {  # a part of what is said of each task's wait
    "holder": "sleep, 35..[.]... s left",
    "sleeps": "sleep, 35..[.]... s left",
    "locks": r"Lock at 0x[0-9a-f]+ that 'holder' holds, taken at .*program[.]cpp:\d+",
    "event": "Event at 0x",
    "condition": "Condition at 0x",
    "semaphore": "Semaphore at 0x[0-9a-f]+, value:0",
    "barrier": "Barrier at 0x",
    "gets": "Queue 'orders' at 0x[0-9a-f]+, items:0, unfinished:0",
    "puts": "Queue at 0x[0-9a-f]+, items:1/1, unfinished:1",
    "joins": "Queue at 0x[0-9a-f]+, items:1/1, unfinished:1",
    "future": "Future at 0x[0-9a-f]+$",
    "awaits": "task 'awaited'",
    "gathers": "gather of 2 tasks: 'awaited', 'Task-",
    "shields": "Future at 0x[0-9a-f]+, which shields 'awaited'",
    "waits": "several futures of 1 task: 'awaited', for at most 17..[.]... s",
    "completes": "several futures of 1 task: 'awaited'",
    "times out": "sleep, 35",
    "group": "TaskGroup at 0x[0-9a-f]+ of 1 task: 'member'",
    "descriptor": r"file descriptor \d+ \(unix socket\), to read$",
    "stream": r"file descriptor \d+ \(tcp 127.0.0.1:\d+ to 127.0.0.1:\d+\), to read$",
    "drains": r"file descriptor \d+ \(tcp 127.0.0.1:\d+ to 127.0.0.1:\d+\), to write$",
    "closes": r"file descriptor \d+ \(tcp 127.0.0.1:\d+ to 127.0.0.1:\d+\), until it is closed$",
    "writes": r"file descriptor \d+ \(tcp 127.0.0.1:\d+ to 127.0.0.1:\d+\), to write$",
    "process": r"the end of process \d+",
    "runs": r"the end of process \d+",
    "serves": "the end of a server",
    "thread": "a call on another thread",
    "executor": "a call on another thread$",
    "wraps": "a call on another thread$",
}


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
        return True
    except OSError:
        return False


class Parked(unittest.TestCase):
    def check(self, program):
        with running(program, "parked") as process:
            look = Look(process)
        self.assertEqual(len(look.loops), 1)
        self.assertTrue(look.loops[0]["running"] and look.loops[0]["whole"])
        self.assertEqual(look.loops[0]["thread"], process.pid)
        self.assertEqual(look.data["notes"], [])
        self.assertEqual(look.data["deadlocks"], [])
        for name, text in WAITS.items():
            self.assertEqual(look.by_name[name]["state"], "waits", name)
            self.assertRegex(look.wait(name)["text"], "^" + text, name)
        self.assertEqual([frame["function"] for frame in look.by_name["event"]["stack"]], ["outer", "middle", "inner"])
        source = pathlib.Path(__file__).with_name("program.cpp").read_text().splitlines()
        for frame, line in zip(look.by_name["event"]["stack"], ("middle(event)", "inner(event)", "event.wait()")):
            self.assertTrue(frame["file"].endswith("program.cpp"))
            self.assertIn("co_await " + line, source[frame["line"] - 1])
        self.assertEqual(look.names(look.by_name["awaited"]["awaited_by"]), ["awaits", "completes", "gathers", "shields", "waits"])
        self.assertEqual(look.names(look.by_name["member"]["awaited_by"]), ["group"])
        if has_ipv6():
            self.assertRegex(look.wait("stream6")["text"], r"^file descriptor \d+ \(tcp \[::1\]:\d+ to \[::1\]:\d+\), to read$")
        self.assertEqual(look.tasks[look.wait("locks")["held_by"]]["name"], "holder")
        doings = {name: look.wait(name)["to"] for name in ("stream", "drains", "closes")}
        self.assertEqual(doings, {"stream": "read", "drains": "write", "closes": "close"})
        self.assertIn('strange \\x1b[31m\\x0a"name"', look.by_name)

    def test_each_primitive_says_what_it_waits_for(self):
        for program in PROGRAMS:
            with self.subTest(program):
                self.check(program)

    def test_stripped(self):
        for program in PROGRAMS:
            with self.subTest(program), tempfile.TemporaryDirectory() as folder:
                stripped = pathlib.Path(folder) / "stripped"
                subprocess.run(["strip", "-o", stripped, program], check=True)
                self.check(stripped)

    def test_a_program_whose_file_is_gone(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copy(PROGRAMS[0], pathlib.Path(folder) / "copy")
            with running(copy, "parked") as process:
                os.unlink(copy)
                self.assertRegex(Look(process).wait("locks")["text"], "that 'holder' holds")

    def test_stopped(self):
        with running(PROGRAMS[0], "parked") as process:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            self.assertRegex(Look(process).wait("locks")["text"], "that 'holder' holds")
            self.assertIn("which is stopped", inspect("ps", process)[1])

    def test_it_is_not_stopped_by_the_look(self):
        with running(PROGRAMS[0], "busy", 10) as process:
            passes = set()
            while len(passes) < 5:
                passes.add(Look(process).loops[0]["passes"])


class Others(unittest.TestCase):
    def test_a_loop_that_spins_in_a_step(self):
        with running(PROGRAMS[0], "spin") as process:
            look = Look(process)
            self.assertEqual([task["state"] for task in look.tasks], ["runs"])
            self.assertRegex(inspect("ps", process)[1], r"(?m)^\* Task-1 +runs +main::<lambda> ")

    def test_four_loops_in_four_threads(self):
        with running(PROGRAMS[0], "loops", 4) as process:
            look = Look(process)
            self.assertEqual(len(look.loops), 4)
            self.assertEqual(len({loop["thread"] for loop in look.loops}), 4)
            self.assertEqual([loop["tasks"] for loop in look.loops], [1, 1, 1, 1])
            threads = set(map(int, os.listdir(f"/proc/{process.pid}/task")))
            self.assertLessEqual({loop["thread"] for loop in look.loops}, threads)

    def test_a_loop_that_goes_on_in_a_forked_child(self):
        with running(PROGRAMS[0], "forked") as process:
            child = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
            look = Look(child)
            self.assertEqual([loop["thread"] for loop in look.loops], [child])
            self.assertEqual(look.wait("Task-1")["fd"], 0)
            os.kill(child, signal.SIGKILL)

    def test_a_process_whose_main_thread_has_ended(self):
        with running(PROGRAMS[0], "without_main") as process:
            stat = pathlib.Path(f"/proc/{process.pid}/stat")
            for _ in range(1000):
                if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                    break
                time.sleep(0.01)
            look = Look(process)
            self.assertEqual(look.wait("Task-1")["fd"], 0)
            self.assertNotIn(look.loops[0]["thread"], (0, process.pid))
            self.assertIn("pipe:", look.wait("Task-1")["text"])

    @unittest.skipIf(subprocess.run(["unshare", "-pf", "true"], capture_output=True).returncode != 0, "needs namespaces of processes")
    def test_a_process_in_a_container(self):
        with running("unshare", "-pf", PROGRAMS[0], "parked") as process:
            inner = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
            look = Look(inner)
            self.assertEqual([loop["thread"] for loop in look.loops], [inner])
            self.assertRegex(inspect("ps", inner)[1], rf"^loop at \w+, \d+ tasks, in thread {inner} [(]\w+[)], which waits\n")
            os.kill(inner, signal.SIGKILL)

    def test_top_on_a_process_that_becomes_another_program(self):
        with running(PROGRAMS[0], "becomes") as process:
            top = subprocess.Popen([INSPECT, "top", str(process.pid)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            shown = b""
            while b"becomes -> end_of_input" not in shown:
                shown += os.read(top.stdout.fileno(), 65536)
            process.stdin.write("go on\n")
            process.stdin.flush()
            while b"parked -> end_of_input" not in shown:
                part = os.read(top.stdout.fileno(), 65536)
                self.assertTrue(part, shown)
                shown += part
            top.terminate()
            top.communicate()

    def test_a_hundred_thousand_tasks(self):
        with running(PROGRAMS[0], "many", 100000) as process:
            look = Look(process)
            self.assertEqual(len(look.tasks), 100001)
            self.assertTrue(look.loops[0]["whole"])
            self.assertTrue(all(task["state"] == "waits" for task in look.tasks))
            self.assertRegex(inspect("top", process, "--once")[1], "(?m)^ 100000 waits .* outer -> middle -> inner ")

    def test_tasks_that_come_and_go_while_it_looks(self):
        with running(PROGRAMS[0], "churn", 1000) as process:
            for _ in range(20):
                look = Look(process)
                self.assertEqual(sum(task["state"] == "waits" and len(task["stack"]) == 3 for task in look.tasks), 1000)
                functions = {frame["function"] for task in look.tasks for frame in task["stack"]}
                self.assertLessEqual(functions, {"outer", "middle", "inner", "churn", "short_life", "end_of_input"})

    def test_a_process_that_is_being_killed(self):
        for pause in range(20):
            with running(PROGRAMS[0], "many", 2000) as process:
                looker = subprocess.Popen([INSPECT, "ps", str(process.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                time.sleep(pause / 2000)
                process.kill()
                output, errors = looker.communicate(timeout=60)
                self.assertIn(looker.returncode, (0, 1))
                if looker.returncode == 1:
                    self.assertRegex(errors, "^asyncio-inspect: (process .* (ended|has ended|has no memory)|there is no process)")

    def test_a_deadlock_is_named(self):
        with running(PROGRAMS[0], "deadlock") as process:
            look = Look(process)
            self.assertEqual([look.names(circle) for circle in look.data["deadlocks"]], [["A", "B"]])
            self.assertIn("deadlock: 'A' -> 'B' -> 'A'\n", inspect("ps", process)[1])
            self.assertIn("deadlock: 'A' -> 'B' -> 'A'\n", inspect("pstree", process)[1])
            self.assertRegex(inspect("graph", process)[1], 't1 -> t2 .style=dashed, label="lock"')

    def test_a_tree_has_who_waits_above_whom_it_waits_for(self):
        with running(PROGRAMS[0], "parked") as process:
            tree = inspect("pstree", process)[1]
        tree = re.sub(r" \S*/(program|with)[.](cpp|h):\d+", "", tree)
        self.assertRegex(tree, """└── [(]T[)] group
    └──  parked::<lambda>
        └──  asyncio::with
            └── [(]T[)] member
                └──  a_while
                    └──  waits for sleep, .* left
""")

    def test_top_in_a_terminal(self):
        with running(PROGRAMS[0], "parked") as process:
            master, slave = os.openpty()
            top = subprocess.Popen([INSPECT, "top", str(process.pid)], stdin=slave, stdout=slave, stderr=slave)
            os.close(slave)
            shown = b""
            while b"LONGEST" not in shown:
                shown += os.read(master, 65536)
            os.write(master, b"q")
            self.assertEqual(top.wait(timeout=60), 0)
            shown += os.read(master, 65536)
            os.close(master)
            self.assertTrue(shown.startswith(b"\x1b[?1049h"))
            self.assertTrue(shown.endswith(b"\x1b[?25h\x1b[?1049l"))


if __name__ == "__main__":
    main()
