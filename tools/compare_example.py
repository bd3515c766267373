#!/usr/bin/env python3
"""A C++ example prints what its Python twin prints.

compare_example.py EXE TWIN.py        EXE against examples/expected/<stem>.txt, and the live twin too if a Python is new enough
compare_example.py --oracle TWIN.py.. only the twins against what was recorded; $ASYNCIO_PYTHON names the interpreter
compare_example.py --record TWIN.py.. writes examples/expected/<stem>.txt from the twins
compare_example.py --self-test

Comments in the twin:   # needs 3.14                       its live output needs this Python; without it, 3.11
                        # normalise: <regex> => <text>     applied to every output, line by line; for times and the like
                        # exits: 1                         both programs end with this status; without it, 0
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIME_LIMIT = 50
TRIES = 3  # examples sleep in real time, and a busy machine may be late


class Twin:
    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        text = self.path.read_text()
        needs = re.search(r"^# needs (\d+)\.(\d+)", text, re.M)
        self.needs = (int(needs[1]), int(needs[2])) if needs else (3, 11)
        exits = re.search(r"^# exits: (\d+)", text, re.M)
        self.exits = int(exits[1]) if exits else 0
        self.rules = re.findall(r"^# normalise: (.+?) => ?(.*)$", text, re.M)
        self.recorded = self.path.parent / "expected" / f"{self.path.stem}.txt"

    def normalise(self, text):
        for pattern, replacement in self.rules:
            text = re.sub(pattern, replacement, text, flags=re.M)
        return text

    def output(self, command):
        """What the command prints, normalised; with the reason if it does not end as it should."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      timeout=TIME_LIMIT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
            except subprocess.TimeoutExpired as error:
                return (error.stdout or b"").decode(errors="replace"), f"it did not end in {TIME_LIMIT} s"
        ended = "" if done.returncode == self.exits else f"exit status {done.returncode}, expected {self.exits}"
        return self.normalise(done.stdout.decode(errors="replace")), ended

    def differs(self, name, command, tries=TRIES):
        """True, and says how, if the command's output is not the recorded one."""
        if not self.recorded.exists():
            print(f"{self.recorded} is missing: make it with tools/compare_example.py --record {self.path}")
            return True
        expected = self.normalise(self.recorded.read_text())
        for _ in range(tries):
            found, ended = self.output(command)
            if found == expected and not ended:
                return False
        sys.stdout.writelines(difflib.unified_diff(
            expected.splitlines(True), found.splitlines(True), f"expected/{self.recorded.name}", name))
        print(f"{name}: {ended or 'prints something else than was recorded'}")
        return True


def python_for(needs):
    """The first interpreter that is new enough, the real 3.14 before others."""
    names = [os.environ.get("ASYNCIO_PYTHON"), ROOT / "build/python314/python3.14", "python3.14", sys.executable]
    for name in filter(None, names):
        try:
            version = subprocess.check_output([name, "-c", "import sys; print(*sys.version_info[:2])"], text=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        if tuple(map(int, version.split())) >= needs:
            return name
    return None


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "one.py")
        path.write_text("# normalise: \\d+ ms => N ms\nprint('took', 12, 'ms')\n")
        python = [sys.executable, "-c"]
        assert Twin(path).differs("unrecorded", [*python, "print('took 12 ms')"])
        pathlib.Path(folder, "expected").mkdir()
        pathlib.Path(folder, "expected/one.txt").write_text("took N ms\n")
        assert not Twin(path).differs("the twin", [sys.executable, path])
        assert not Twin(path).differs("another time", [*python, "print('took 99 ms')"])
        assert Twin(path).differs("another text", [*python, "print('took 99 s')"])
        assert Twin(path).differs("another status", [*python, "print('took 99 ms'); exit(3)"])


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if arguments[0] not in ("--oracle", "--record"):
        exe, twin = pathlib.Path(arguments[0]).resolve(), Twin(arguments[1])
        python = python_for(twin.needs)
        differs = twin.differs(exe.name, [exe])
        if python:
            differs = twin.differs(f"{twin.path.name} under {python}", [python, twin.path]) or differs
        return int(differs)

    bad = 0
    for twin in map(Twin, arguments[1:]):
        python = python_for(twin.needs) or sys.exit(f"{twin.path.name} needs Python {twin.needs[0]}.{twin.needs[1]}")
        if arguments[0] == "--record":
            text, ended = twin.output([python, twin.path])
            twin.recorded.parent.mkdir(exist_ok=True)
            twin.recorded.write_text(text)
            bad += bool(ended)
            print(f"{twin.recorded.name}: recorded from {python} {ended}")
        else:
            differs = twin.differs(f"{twin.path.name} under {python}", [python, twin.path])
            bad += differs
            print(f"{'DIFFERS' if differs else 'as recorded'}: {twin.path.name}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
