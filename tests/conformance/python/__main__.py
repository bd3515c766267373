"""Runs programs of the conformance language on CPython's asyncio and prints their traces.

python3.14 tests/conformance/python PROGRAMS     one program a line; the trace of each ends with a line `.`
"""
import contextvars
import gc
import json
import sys
import warnings

import blocks, callbacks, combining, flow, futures, generators, sync, tasks  # noqa: they enter their operations
import trace
import virtual_loop
from run import Run

BATCH = 50  # the garbage of so many programs is collected at once


def apart(function):
    """Calls it in a context of its own: also a coroutine that is closed when nobody holds it any more may set variables."""
    contextvars.copy_context().run(function)


def traces(programs):
    runs = [Run(json.loads(program)) for program in programs]
    for run in runs:
        apart(run.run)
    for run in runs:
        apart(run.forget)
    apart(gc.collect)
    return [run.trace.lines + sorted(run.trace.lost) for run in runs]


def main(path):
    virtual_loop.install()
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None  # a coroutine that nobody holds any more is closed, and may fail at it
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
