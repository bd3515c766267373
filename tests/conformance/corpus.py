#!/usr/bin/env python3
"""Programs with the traces that CPython 3.14 printed for them, so that every test run compares without a CPython 3.14.

corpus.py check  --interpreter EXE                   what ctest runs
corpus.py record --python PYTHON [--count N]         random programs and regressions anew, by CPython
corpus.py show   NAME                                a regression as Python and as C++ source

corpus/random.xz holds random programs; regressions/NAME.json one program each, with the trace in NAME.trace beside it.
"""
import argparse
import json
import lzma
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generator
import interpreters
import sources

HERE = pathlib.Path(__file__).resolve().parent
RANDOM = HERE / "corpus" / "random.xz"
REGRESSIONS = HERE / "regressions"
COUNT = 3000
FIRST_SEED = 10_000_000  # far from those that anybody tries


def recorded():
    """Names, programs and traces."""
    for path in sorted(REGRESSIONS.glob("*.json")):
        yield path.stem, path.read_text().strip(), path.with_suffix(".trace").read_text().rstrip("\n")
    with lzma.open(RANDOM, "rt") as file:
        entries = file.read().split(interpreters.END)
    for number, entry in enumerate(filter(None, entries)):
        program, trace = entry.split("\n", 1)
        yield f"random program {number}", program, trace


def check(options):
    names, programs, traces = zip(*recorded())
    pair = interpreters.Pair(None, options.interpreter)
    with tempfile.TemporaryDirectory() as folder:
        results = pair.found(programs, traces, folder)
    differing = [number for number, result in enumerate(results) if result is not None]
    for number in differing[:3]:
        print(f"======== {names[number]}")
        print(sources.report(json.loads(programs[number]), *results[number]))
    print(f"{len(results)} of {len(programs)} recorded programs run, {len(differing)} traces differ from CPython's")
    return int(bool(differing) or len(results) < len(programs))


def record(options):
    """Half of the random programs are about locks, queues and generators."""
    pair = interpreters.Pair(options.python, None)
    regressions = sorted(REGRESSIONS.glob("*.json"))
    half = options.count // 2
    programs = [path.read_text().strip() for path in regressions]
    programs += [generator.program_line(FIRST_SEED + i, "sync" if i < half else "") for i in range(options.count)]
    with tempfile.TemporaryDirectory() as folder:
        traces = pair.expected(programs, folder)
    for path, trace in zip(regressions, traces):
        path.with_suffix(".trace").write_text(trace + "\n")
    RANDOM.parent.mkdir(exist_ok=True)
    with lzma.open(RANDOM, "wt", preset=9 | lzma.PRESET_EXTREME) as file:
        for program, trace in list(zip(programs, traces))[len(regressions):]:
            file.write(f"{program}\n{trace}{interpreters.END}")
    print(f"{options.count} random programs ({RANDOM.stat().st_size // 1024} KiB) and {len(regressions)} regressions recorded")
    return 0


def show(options):
    path = REGRESSIONS / f"{options.name}.json"
    trace = path.with_suffix(".trace").read_text()
    print(sources.report(json.loads(path.read_text()), trace, trace))
    print(f"---- what CPython prints\n{trace}", end="")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check").add_argument("--interpreter", required=True)
    recorder = commands.add_parser("record")
    recorder.add_argument("--python", required=True)
    recorder.add_argument("--count", type=int, default=COUNT)
    commands.add_parser("show").add_argument("name")
    options = parser.parse_args()
    return {"check": check, "record": record, "show": show}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
