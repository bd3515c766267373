"""examples/parallel and its twin, beside xargs."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import programs


class Parallel(programs.ProgramTest):
    name = "parallel"

    def start(self, command, backend, *arguments, **options):
        environment = {**os.environ, "ASYNCIO_IO_BACKEND": backend, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=environment, **options)

    def each(self, text, *arguments):
        for command, backend in self.variants():
            process = self.start(command, backend, *arguments)
            out, err = process.communicate(text, timeout=programs.TIMEOUT)
            yield process.returncode, out, err

    def test_each_line_is_an_argument_and_the_order_stays(self):
        script = "sleep 0.$((10 - $1)); echo $1"
        for status, out, err in self.each("1\n2\n\n3\n", "-j", "3", "sh", "-c", script, "sh", "{}"):
            self.assertEqual((status, out, err), (0, "1\n2\n3\n", ""))

    def test_it_does_what_xargs_does(self):
        with tempfile.TemporaryDirectory() as folder:
            for i in range(60):
                (pathlib.Path(folder) / f"file {i:02}").write_text(f"{i}\n" * i)
            names = "".join(f"{path}\n" for path in sorted(pathlib.Path(folder).iterdir()))
            expected = subprocess.run(["xargs", "-d", "\n", "-n", "1", "sha256sum"], input=names, text=True,
                                      capture_output=True, check=True).stdout
            for status, out, err in self.each(names, "-j", "8", "sha256sum"):
                self.assertEqual((status, out, err), (0, expected, ""))

    def test_no_more_run_at_once_than_were_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            script = f"mkdir '{folder}/'$1; ls '{folder}' | wc -l; sleep 0.02; rmdir '{folder}/'$1"
            lines = "".join(f"{i}\n" for i in range(20))
            for status, out, _ in self.each(lines, "-j", "3", "sh", "-c", script, "sh", "{}"):
                self.assertEqual(status, 0)
                self.assertLessEqual(max(map(int, out.split())), 3)

    def test_a_failure_is_told_and_the_rest_goes_on(self):
        for status, out, err in self.each("0\n3\n0\n", "-j", "1", "sh", "-c", "echo $1; exit $1", "sh"):
            self.assertEqual((status, out), (123, "0\n3\n0\n"))
            self.assertEqual(err, "parallel: '3' ended with 3\nparallel: 3 done, 1 failed\n")

    def test_halt_ends_all_at_the_first_failure(self):
        began = time.monotonic()
        for status, out, err in self.each("60\nx\n60\n", "-j", "3", "--halt", "sh", "-c", "sleep $1 || exit 7", "sh"):
            self.assertEqual((status, out), (123, ""))
            self.assertIn("parallel: 'x' ended with 7\nparallel: 1 done, 1 failed, 2 ended\n", err)
        self.assertLess(time.monotonic() - began, 50)

    def test_ctrl_c_ends_the_children_and_tells(self):
        for signum, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            for command, backend in self.variants():
                with tempfile.TemporaryDirectory() as folder:
                    process = self.start(command, backend, "-j", "4", "sh", "-c",
                                         f"touch '{folder}/'$$; exec sleep 60", "sh")
                    process.stdin.write("1\n2\n3\n")
                    process.stdin.flush()
                    programs.wait_until(lambda: len(os.listdir(folder)) == 3)
                    pids = os.listdir(folder)
                    process.send_signal(signum)
                    _, err = process.communicate(timeout=programs.TIMEOUT)
                    self.assertEqual(process.returncode, expected, err)
                    self.assertEqual(err, "parallel: 0 done, 0 failed, 3 ended\n")
                    for pid in pids:
                        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_what_makes_no_sense_is_refused(self):
        for arguments in ((), ("-j", "0", "true"), ("-j", "100000", "true")):
            for status, out, err in self.each("", *arguments):
                self.assertEqual((status, out), (2, ""))
                self.assertIn("usage:", err)

    def test_a_command_that_is_not_there(self):
        for status, out, err in self.each("x\n", "no_such_program_here"):
            self.assertEqual((status, out), (1, ""))
            self.assertIn("No such file or directory", err)


if __name__ == "__main__":
    programs.main()
