#!/usr/bin/env python3
"""Runs random programs on CPython 3.14 and on this library, and compares the traces byte for byte.

differential.py --python PYTHON --interpreter EXE [--count N] [--seed FIRST] [--jobs N] [--keep-going N]
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generator

HERE = pathlib.Path(__file__).resolve().parent
CHUNK = 500


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
    traces = text.split("\n.\n")
    if traces and traces[-1] == "":
        traces.pop()
    return traces, wrong


class Pair:
    """The two interpreters."""

    def __init__(self, python, exe):
        self.python = [python, str(HERE / "python_interpreter.py")]
        self.exe = [exe]

    def compare(self, programs, folder, timeout=300):
        """For each program None, or the pair of traces that differ. Stops where an interpreter gave up."""
        path = pathlib.Path(folder, "programs")
        path.write_text("".join(line + "\n" for line in programs))
        for _ in range(3):
            expected, wrong = run(self.python, path, timeout)
            if "exit status -15" not in wrong:  # ended by somebody else
                break
        if wrong:
            raise RuntimeError(f"CPython: {wrong}\nprogram {len(expected)} of the chunk:\n{programs[len(expected)]}")
        found, wrong = run(self.exe, path, timeout)
        results = []
        for number in range(len(programs)):
            if number >= len(found) or (wrong and number == len(found) - 1 and found[number] != expected[number]):
                partial = found[number] if number < len(found) else ""
                results.append((expected[number], f"{partial}\n[{wrong or 'no trace'}]"))
                break
            results.append(None if found[number] == expected[number] else (expected[number], found[number]))
        return results

    def first_differing(self, programs, timeout=60):
        """The position of the first program whose traces differ, with both, or None."""
        lines = [json.dumps(program, separators=(",", ":")) for program in programs]
        with tempfile.TemporaryDirectory() as folder:
            try:
                results = self.compare(lines, folder, timeout)
            except (RuntimeError, IndexError):
                return None
        for number, result in enumerate(results):
            if result is not None:
                return number, *result
        return None


def check_chunk(arguments):
    python, exe, first, count, sync = arguments
    pair = Pair(python, exe)
    programs = [generator.program_line(seed, sync) for seed in range(first, first + count)]
    covered = collections.Counter()
    differing = []
    start = 0
    with tempfile.TemporaryDirectory() as folder:
        while start < len(programs):
            results = pair.compare(programs[start:], folder)
            for offset, result in enumerate(results):
                if result is not None:
                    differing.append((first + start + offset, *result))
            start += len(results)
    for line in programs:
        covered.update(set(generator.operations(json.loads(line))))
    return count, covered, differing


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=os.environ.get("ASYNCIO_PYTHON", "python3.14"))
    parser.add_argument("--interpreter", required=True)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep-going", type=int, default=1, help="stop after so many differences")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--no-sync", action="store_true")
    parser.add_argument("--save", help="folder for the minimal programs found")
    options = parser.parse_args()

    import shrink
    import sources
    started = time.monotonic()
    covered = collections.Counter()
    done = 0
    differing = []
    chunks = [(options.python, options.interpreter, first, min(CHUNK, options.seed + options.count - first), not options.no_sync)
              for first in range(options.seed, options.seed + options.count, CHUNK)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pending = set()
        chunks.reverse()
        while chunks or pending:
            while chunks and len(pending) < options.jobs and len(differing) < options.keep_going:
                pending.add(pool.submit(check_chunk, chunks.pop()))
            if not pending:
                break
            finished, pending = concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in finished:
                count, names, found = future.result()
                done += count
                covered += names
                differing += found
            rate = done / (time.monotonic() - started)
            print(f"\r{done} programs, {len(differing)} differ, {rate:.0f}/s ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    print(f"{done} programs (seeds {options.seed} to {options.seed + options.count - 1}), {len(differing)} differ")
    print("programs that contain each construct:")
    names = sorted(covered)
    for start in range(0, len(names), 5):
        print("  " + "  ".join(f"{name:>16} {covered[name]:<6}" for name in names[start:start + 5]))

    pair = Pair(options.python, options.interpreter)
    for seed, expected, found in sorted(differing)[:options.keep_going]:
        program = generator.program(seed, not options.no_sync)
        print(f"\n======== seed {seed}")
        if not options.no_shrink:
            program = shrink.shrink(program, lambda programs: (pair.first_differing(programs) or (None,))[0])
            expected, found = (pair.first_differing([program]) or (0, expected, found))[1:]
        print(sources.report(program, expected, found))
        if options.save:
            pathlib.Path(options.save).mkdir(parents=True, exist_ok=True)
            pathlib.Path(options.save, f"seed_{seed}.json").write_text(json.dumps(program) + "\n")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
