"""Runs programs of the conformance language on CPython's asyncio and prints their traces.

python3.14 tests/conformance/python PROGRAMS     one program a line; the trace of each ends with a line `.`
"""
import gc
import json
import logging
import sys
import warnings

import blocks, callbacks, combining, flow, futures, generators, sync, tasks  # noqa: they enter their operations
import virtual_loop
from run import Run

BATCH = 50  # the garbage of so many programs is collected at once


class LogToTrace(logging.Handler):
    run = None

    def emit(self, record):
        if record.levelno >= logging.ERROR:
            self.run.on_log(record.getMessage(), record.exc_info[1] if record.exc_info else None)


def traces(programs, log):
    runs = []
    for program in programs:
        log.run = Run(json.loads(program))
        log.run.run()
        runs.append(log.run)
    for run in runs:
        run.forget()
    gc.collect()
    return [run.lines + sorted(run.lost) for run in runs]


def main(path):
    virtual_loop.install()
    warnings.simplefilter("ignore")
    log = LogToTrace()
    logging.getLogger("asyncio").addHandler(log)
    logging.getLogger("asyncio").propagate = False
    gc.collect()
    gc.freeze()
    gc.disable()
    programs = open(path).read().splitlines()
    for first in range(0, len(programs), BATCH):
        for trace in traces(programs[first:first + BATCH], log):
            sys.stdout.write("\n".join(trace) + "\n.\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
