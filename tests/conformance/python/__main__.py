"""Runs programs of the conformance language on CPython's asyncio and prints their traces.

python3.14 tests/conformance/python PROGRAMS     one program a line; the trace of each ends with a line `.`
"""
import gc
import json
import sys
import warnings

import blocks, callbacks, combining, flow, futures, generators, sync, tasks  # noqa: they enter their operations
import trace
import virtual_loop
from run import Run

BATCH = 50  # the garbage of so many programs is collected at once


def traces(programs):
    runs = [Run(json.loads(program)) for program in programs]
    for run in runs:
        run.run()
    for run in runs:
        run.forget()
    gc.collect()
    return [run.trace.lines + sorted(run.trace.lost) for run in runs]


def main(path):
    virtual_loop.install()
    warnings.simplefilter("ignore")
    trace.install()
    gc.collect()
    gc.freeze()
    gc.disable()
    programs = open(path).read().splitlines()
    for first in range(0, len(programs), BATCH):
        for lines in traces(programs[first:first + BATCH]):
            sys.stdout.write("\n".join(lines) + "\n.\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
