#!/usr/bin/env python3
"""Runs random programs and asks after each step who can never go on: whoever is named may not.

deadlocks.py --interpreter EXE [COUNT] [--seed FIRST]      a third of them with locks and queues, a third with tasks that wait for each other
"""
import argparse
import os
import pathlib
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generator
import interpreters
import shrink
import sources

CHUNK = 250
WEIGHTS = ("", "sync", "waits")
END = re.compile(r"(\d+) deadlocks\n\Z")


def run(interpreter, programs):
    """How many deadlocks were named; how many programs ran, and what was wrong with the next one, if anything."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "programs")
        path.write_text("".join(line + "\n" for line in programs))
        traces, wrong = interpreters.run([interpreter, "--deadlocks"], path, 300)
        named = END.search(pathlib.Path(f"{path}.err").read_text(errors="replace"))
    return int(named.group(1)) if named else 0, len(traces), wrong


def check(interpreter, seeds, weight):
    """Deadlocks, programs, and the seeds of those that were wrong, with what was said."""
    named, failed = 0, []
    while seeds:
        deadlocks, ran, wrong = run(interpreter, [generator.program_line(seed, weight) for seed in seeds])
        named += deadlocks
        if not wrong:
            break
        if ran == len(seeds):
            failed.append((None, wrong))
            break
        failed.append((seeds[ran], wrong))
        seeds = seeds[ran + 1:]
    return named, [(seed, weight, wrong) for seed, wrong in failed]


def report(interpreter, seed, weight, wrong):
    """The program as Python source, made as small as it gets."""
    def first_wrong(programs):
        return next((i for i, one in enumerate(programs) if run(interpreter, [interpreters.as_line(one)])[2]), None)

    program = shrink.shrink(generator.program(seed, weight), first_wrong)
    wrong = run(interpreter, [interpreters.as_line(program)])[2] or wrong
    print(f"\n======== seed {seed}" + (f", weight {weight}" if weight else "") + f"\n{wrong}")
    print(sources.report(program, "", ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=6000, metavar="COUNT", help="how many programs")
    parser.add_argument("--interpreter", required=True)
    parser.add_argument("--seed", type=int, default=1, help="of the first program; the others follow")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    last = options.seed + -(-options.count // len(WEIGHTS))
    chunks = [(range(first, min(first + CHUNK, last)), weight) for weight in WEIGHTS for first in range(options.seed, last, CHUNK)]
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda chunk: check(options.interpreter, *chunk), chunks))
    named = sum(deadlocks for deadlocks, _ in results)
    failed = [one for _, some in results for one in some]
    print(f"{sum(len(seeds) for seeds, _ in chunks)} programs, {named} deadlocks, {len(failed)} programs failed")
    for seed, weight, wrong in failed[:3]:
        if seed is None:
            print(wrong)
        else:
            report(options.interpreter, seed, weight, wrong)
    return int(bool(failed) or named == 0)


if __name__ == "__main__":
    sys.exit(main())
