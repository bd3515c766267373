"""What the tests of asyncio-inspect share."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

INSPECT, FORGER, *PROGRAMS = sys.argv[1:]
SECONDS = 60  # that nothing here may take
HAS_SANITIZER = any(name in pathlib.Path(PROGRAMS[0]).read_bytes() for name in (b"libasan.so", b"AddressSanitizer:", b"libtsan.so", b"ThreadSanitizer:"))


@contextlib.contextmanager
def running(program, *arguments, **options):
    """The program, once it says that it is ready."""
    process = subprocess.Popen([program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
    try:
        line = process.stdout.readline()
        assert line == "ready\n", f"{program} {arguments} said {line!r}"
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def inspect(command, target, *options):
    """What it says: exit code, output, errors. It ends in time, and by no signal."""
    done = subprocess.run([INSPECT, command, *options, str(getattr(target, "pid", target))],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
    output, errors = done.stdout.decode(), done.stderr.decode()  # valid UTF-8
    assert done.returncode in (0, 1, 2), f"it ended by {done.returncode}: {errors}"
    for text in (output, errors):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), f"control characters: {text!r}"
    return done.returncode, output, errors


class Look:
    """A look at a process, as JSON."""

    def __init__(self, target):
        code, output, errors = inspect("ps", target, "--json")
        assert code == 0, errors
        self.data = json.loads(output)
        self.tasks = self.data["tasks"]
        self.loops = self.data["loops"]
        self.by_name = {task["name"]: task for task in self.tasks}

    def names(self, indices):
        return sorted(self.tasks[index]["name"] for index in indices)

    def wait(self, name):
        return self.by_name[name]["waits_for"]


def main():
    unittest.main(argv=sys.argv[:1])
