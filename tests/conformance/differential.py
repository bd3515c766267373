#!/usr/bin/env python3
"""Runs random programs on CPython 3.14 and on this library, and compares the traces byte for byte.

differential.py --python PYTHON --interpreter EXE [COUNT] [--seed FIRST] [--weight sync]
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generator
import interpreters
import language
import shrink
import sources

CHUNK = 500


def check_chunk(pair, first, count, weight):
    programs = [generator.program(seed, weight) for seed in range(first, first + count)]
    differing = pair.compare([interpreters.as_line(program) for program in programs])
    covered = collections.Counter()
    for program in programs:
        covered.update(language.constructs(program))
    return covered, [(first + number, *traces) for number, *traces in differing]


def compare_all(pair, options):
    """How many programs were compared; how many contain each construct; seeds and traces of those that differ."""
    started = time.monotonic()
    covered = collections.Counter()
    done = 0
    differing = []
    last = options.seed + options.count
    chunks = [(first, min(CHUNK, last - first)) for first in range(options.seed, last, CHUNK)]
    chunks.reverse()
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        pending = {}
        while True:
            while chunks and len(pending) < options.jobs and len(differing) < options.stop_after:
                chunk = chunks.pop()
                pending[pool.submit(check_chunk, pair, *chunk, options.weight)] = chunk
            if not pending:
                break
            finished, _ = concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in finished:
                _, count = pending.pop(future)
                names, found = future.result()
                done += count
                covered += names
                differing += found
            show_progress(f"{done} of {options.count} programs, {len(differing)} differ, "
                          f"{done / (time.monotonic() - started):.0f}/s", done * 20 // options.count)
    print(file=sys.stderr)
    return done, covered, sorted(differing)


def show_progress(text, twentieth, shown=[0]):
    """In place on a terminal, else now and then in a line of its own."""
    if sys.stderr.isatty():
        print(f"\r{text} ", end="", file=sys.stderr, flush=True)
    elif twentieth > shown[0]:
        shown[0] = twentieth
        print(text, file=sys.stderr, flush=True)


def print_summary(covered):
    print("programs that contain each construct:")
    width = max(map(len, covered), default=0)
    columns = max(1, 116 // (width + 9))
    names = sorted(covered)
    for start in range(0, len(names), columns):
        print("  " + "  ".join(f"{name:>{width}} {covered[name]:<6}" for name in names[start:start + columns]).rstrip())


def report(pair, seed, traces, options):
    """Prints a differing program, made as small as it gets."""
    program = generator.program(seed, options.weight)
    print(f"\n======== seed {seed}" + (f", weight {options.weight}" if options.weight else ""))
    if not options.no_shrink:
        program = shrink.shrink(program, lambda programs: (pair.first_differing(programs) or (None,))[0])
        again = pair.first_differing([program])
        traces = again[1:] if again else traces
    print(sources.report(program, *traces))
    if options.save:
        folder = pathlib.Path(options.save)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"seed_{seed}.json").write_text(json.dumps(program) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=10000, metavar="COUNT", help="how many programs")
    parser.add_argument("--python", default=os.environ.get("ASYNCIO_PYTHON", "python3.14"))
    parser.add_argument("--interpreter", required=True)
    parser.add_argument("--seed", type=int, default=1, help="of the first program; the others follow")
    parser.add_argument("--weight", choices=("", "sync", "waits"), default="",
                        help="sync: only locks, queues and generators; waits: tasks that wait for each other")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--stop-after", type=int, default=1, metavar="N", help="stop when so many programs differ")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--save", metavar="FOLDER", help="where to put the minimal programs")
    options = parser.parse_args()

    pair = interpreters.Pair(options.python, options.interpreter)
    done, covered, differing = compare_all(pair, options)
    weight = f", weight {options.weight}" if options.weight else ""
    print(f"{done} programs (seeds {options.seed} to {options.seed + options.count - 1}{weight}), {len(differing)} differ")
    print_summary(covered)
    for seed, *traces in differing[:options.stop_after]:
        report(pair, seed, traces, options)
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
