#!/usr/bin/env python3
"""What asyncio-inspect says where there is nothing to see, or it may not look."""
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from support import INSPECT, PROGRAMS, inspect, main, running


class Refusals(unittest.TestCase):
    def refused(self, target, pattern, command="ps"):
        code, output, errors = inspect(command, target)
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(errors, "^asyncio-inspect: " + pattern)
        self.assertEqual(errors.count("\n"), 1)

    def test_no_process(self):
        child = subprocess.Popen(["true"])
        child.wait()
        for command in ("ps", "pstree", "graph", "top"):
            self.refused(child.pid, f"there is no process {child.pid}$", command)

    def test_a_zombie(self):
        child = subprocess.Popen(["true"])
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.refused(child.pid, f"process {child.pid} has ended, and only waits for its parent to take note$")
        child.wait()

    def test_a_program_without_asyncio(self):
        child = subprocess.Popen(["sleep", "60"])
        while pathlib.Path(f"/proc/{child.pid}/comm").read_text() != "sleep\n":  # until it has become that
            continue
        self.refused(child.pid, rf"process {child.pid} \(sleep\) is no program with asyncio for C\+\+ in it")
        child.kill()
        child.wait()

    def test_a_process_of_the_kernel(self):
        if pathlib.Path("/proc/2/comm").exists() and pathlib.Path("/proc/2/comm").read_text() == "kthreadd\n" and os.geteuid() == 0:
            self.refused(2, "process 2 .kthreadd. has no memory of its own")

    def test_a_process_that_may_not_be_looked_at(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to be somebody else")
        with running(PROGRAMS[0], "parked") as process, tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "asyncio-inspect"
            copy.write_bytes(pathlib.Path(INSPECT).read_bytes())
            copy.chmod(0o755)
            os.chmod(folder, 0o755)
            done = subprocess.run([copy, "ps", str(process.pid)], capture_output=True, text=True, user=65534, group=65534,
                                  extra_groups=[], timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "may not be looked at by you: .*(another user's|ptrace_scope)")

    def test_no_core_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "file"
            self.refused(path, ".*/file cannot be opened$")
            for content in (b"", b"text", b"\x7fELF", pathlib.Path(INSPECT).read_bytes()):
                path.write_bytes(content)
                self.refused(path, ".*/file is no core file, and no number of a process$")
            self.refused(folder, ".* is no core file, and no number of a process$")
            os.mkfifo(pathlib.Path(folder) / "pipe")
            self.refused(pathlib.Path(folder) / "pipe", ".*/pipe is no core file")

    def test_a_program_with_no_loop_yet(self):
        with running(PROGRAMS[0], "no_loop") as process:
            code, output, _ = inspect("ps", process)
            self.assertEqual(code, 0)
            self.assertRegex(output, r"^process \d+ \(inspected\) has no loop\n$")

    def test_a_loop_that_is_closed(self):
        with running(PROGRAMS[0], "closed") as process:
            self.assertRegex(inspect("ps", process)[1], "^loop at 0x[0-9a-f]+, 0 tasks, closed\n$")

    def test_wrong_use(self):
        for arguments in ([], ["ps"], ["pss", "1"], ["ps", "1", "2"], ["ps", "--what", "1"], ["top", "--lines", "x", "1"],
                          ["top", "1", "--interval"], ["top", "--interval", "-1", "1"]):
            done = subprocess.run([INSPECT, *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn("usage: asyncio-inspect", done.stderr)
        done = subprocess.run([INSPECT, "--help"], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("pstree", done.stdout)

    def test_a_full_disk(self):
        with running(PROGRAMS[0], "parked") as process, open("/dev/full", "w") as full:
            done = subprocess.run([INSPECT, "ps", "--json", str(process.pid)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not be written", done.stderr)


if __name__ == "__main__":
    main()
