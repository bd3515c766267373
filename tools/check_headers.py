#!/usr/bin/env python3
"""Every public header compiles alone, and <asyncio/asyncio.h> stays cheap to include.

check_headers.py [ROOT] [--cxx g++] [--budget 0.6]    the budget is seconds of CPU at -O0 on a quiet machine
check_headers.py --self-test

Machines differ, and a busy one is slower: <chrono>, compiled in the same seconds, is the measure of its speed. Where that
says too much, and valgrind is there, the compiler's instructions decide, which do not vary.
"""
import argparse
import concurrent.futures
import math
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

FLAGS = ["-std=c++20", "-O0", "-pthread", "-x", "c++"]
ROUNDS = 4
CHRONO_SECONDS = 0.36  # of CPU for #include <chrono> with g++ 12, where 0.6 s is the budget
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def cpu_seconds(command, source):
    """Seconds of CPU that the command and its children used; None if it failed. What it says goes to stderr."""
    with tempfile.NamedTemporaryFile("w+", suffix=".cpp") as file:
        file.write(source)
        file.flush()
        process = subprocess.Popen([*command, file.name])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return None if status else usage.ru_utime + usage.ru_stime


def instructions(command, source):
    """How many the compiler runs, by valgrind; None if that cannot be counted."""
    if shutil.which("valgrind") is None:
        return None
    counter = "valgrind,--tool=cachegrind,--cache-sim=no,--cachegrind-out-file=/dev/null"
    with tempfile.NamedTemporaryFile("w+", suffix=".cpp") as file:
        file.write(source)
        file.flush()
        done = subprocess.run([*command, "-wrapper", counter, file.name], capture_output=True, text=True)
    counts = [int(count.replace(",", "")) for count in re.findall(r"I +refs: +([\d,]+)", done.stderr)]
    return max(counts) if done.returncode == 0 and counts else None


def check(root, cxx, budget):
    include = root / "include"
    headers = sorted(str(path.relative_to(include)) for path in include.rglob("*.h"))

    def compiles(header):  # twice in one file: its include guard works too
        command = [cxx, *FLAGS, *WARNINGS, "-fsyntax-only", f"-I{include}"]
        return cpu_seconds(command, f"#include <{header}>\n#include <{header}>\n") is not None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bad = [header for header, good in zip(headers, pool.map(compiles, headers)) if not good]
    for header in bad:
        print(f"include/{header}: does not compile alone")
    print(f"{len(headers) - len(bad)} of {len(headers)} headers compile alone")
    if bad:
        return 1

    command = [cxx, *FLAGS, "-c", "-o", os.devnull, f"-I{include}"]
    scaled, rounds, cost, chrono, ratios = math.inf, 0, math.inf, math.inf, []
    while scaled > budget and rounds < ROUNDS:
        for _ in range(15):
            ours = cpu_seconds(command, "#include <asyncio/asyncio.h>\n")
            measure = cpu_seconds(command, "#include <chrono>\n")
            cost, chrono = min(cost, ours), min(chrono, measure)
            ratios.append(ours / measure)
        # A busy machine spreads the figures by a fifth: the least of many counts. One that changes its speed for seconds
        # may have shown its best to <chrono> alone: then what counts is how they compared each time.
        scaled = round(min(cost / chrono, statistics.median(ratios)) * CHRONO_SECONDS, 2)  # as it is told
        rounds += 1
    print(f"#include <asyncio/asyncio.h> costs {cost:.2f} s of CPU where <chrono> costs {chrono:.2f} s: "
          f"{scaled:.2f} s on a quiet machine, and may cost {budget:.2f} s")
    if scaled > budget:
        ours = instructions(command, "#include <asyncio/asyncio.h>\n")
        measure = instructions(command, "#include <chrono>\n")
        if ours and measure:
            scaled = ours / measure * CHRONO_SECONDS
            print(f"{ours / 1e6:.0f} million instructions where <chrono> takes {measure / 1e6:.0f}: {scaled:.2f} s")
    return int(scaled > budget)


def self_test(cxx):
    with tempfile.TemporaryDirectory() as folder:
        include = pathlib.Path(folder, "include/asyncio")
        include.mkdir(parents=True)
        (include / "asyncio.h").write_text("#pragma once\n#include <asyncio/part.h>\n")
        part = include / "part.h"
        part.write_text("#pragma once\ninline int one() { return 1; }\n")
        assert check(pathlib.Path(folder), cxx, budget=60) == 0
        assert check(pathlib.Path(folder), cxx, budget=0) == 1, "a header too dear must be noticed"
        part.write_text("#pragma once\ninline std::string one() { return {}; }\n")
        print("the next error is part of the self-test:", flush=True)
        assert check(pathlib.Path(folder), cxx, budget=60) == 1, "a missing include must be noticed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--cxx", default="g++")
    parser.add_argument("--budget", type=float, default=0.6)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    sys.exit(self_test(options.cxx) if options.self_test else check(options.root, options.cxx, options.budget))
