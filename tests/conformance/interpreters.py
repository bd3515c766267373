"""Runs programs of the conformance language on CPython 3.14 and on this library."""
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
END = "\n.\n"
ENDED_BY_SOMEBODY = -15


class Failed(Exception):
    """An interpreter did not run to its end."""


def as_line(program):
    return json.dumps(program, separators=(",", ":"))


def run(command, path, timeout):
    """The traces that an interpreter prints for a file of programs, and what was wrong with it, if anything."""
    with open(f"{path}.out", "wb") as out, open(f"{path}.err", "wb") as err:
        process = subprocess.Popen([*command, path], stdout=out, stderr=err)
        try:
            status = process.wait(timeout)
            wrong = "" if status == 0 else f"exit status {status}"
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            wrong = f"it did not end in {timeout} s"
    text = pathlib.Path(f"{path}.out").read_text(errors="replace")
    if wrong:
        wrong += "\n" + pathlib.Path(f"{path}.err").read_text(errors="replace")[:3000]
    traces = text.split(END)
    if traces and traces[-1] == "":
        traces.pop()
    return traces, wrong


class Pair:
    """The two interpreters."""

    def __init__(self, python, interpreter):
        self.python = [str(python), str(HERE / "python")]
        self.interpreter = [str(interpreter)]

    def expected(self, programs, folder, timeout=300):
        """CPython's traces."""
        path = pathlib.Path(folder, "programs")
        path.write_text("".join(line + "\n" for line in programs))
        for _ in range(3):
            traces, wrong = run(self.python, path, timeout)
            if not wrong.startswith((f"exit status {ENDED_BY_SOMEBODY}\n", "it did not end")):
                break  # a machine may be so busy that it stands still
        if wrong:
            raise Failed(f"CPython: {wrong}\nafter {len(traces)} of {len(programs)} programs")
        return traces

    def found(self, programs, expected, folder, timeout=300):
        """For each program None, or the pair of traces that differ. Stops where the interpreter gave up."""
        path = pathlib.Path(folder, "programs")
        path.write_text("".join(line + "\n" for line in programs))
        traces, wrong = run(self.interpreter, path, timeout)
        results = []
        for number, trace in enumerate(expected):
            if number >= len(traces) or (wrong and number == len(traces) - 1 and traces[number] != trace):
                partial = traces[number] if number < len(traces) else ""
                results.append((trace, f"{partial}\n[{wrong or 'no trace'}]"))
                break
            results.append(None if traces[number] == trace else (trace, traces[number]))
        return results

    def compare(self, programs, timeout=300):
        """The numbers of the programs whose traces differ, with both."""
        differing = []
        with tempfile.TemporaryDirectory() as folder:
            expected = self.expected(programs, folder, timeout)
            start = 0
            while start < len(programs):
                results = self.found(programs[start:], expected[start:], folder, timeout)
                differing += [(start + i, *result) for i, result in enumerate(results) if result is not None]
                start += len(results)
        return differing

    def first_differing(self, programs, timeout=60):
        """The first of the programs (lists) whose traces differ: its number and both; or None."""
        try:
            differing = self.compare([as_line(program) for program in programs], timeout)
        except Failed:
            return None
        return differing[0] if differing else None
