#!/usr/bin/env python3
"""Random programs, printed as Python and as C++ source, print the trace that the interpreter prints for them.

check_printers.py --python PYTHON --build FOLDER [COUNT] [--seed FIRST]

FOLDER is a build of this project. Programs that are too long or that would make a circle of tasks are left out: their
source is not guarded against that.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generator
import interpreters
import print_cpp
import print_python

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MOST_LINES = 150


def output(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return done.stdout.rstrip("\n")


def as_python(program, python, folder):
    path = folder / "program.py"
    path.write_text(print_python.source(program))
    return output([python, path], env={**os.environ, "PYTHONPATH": str(HERE / "python")})


def libraries(build):
    """What the library itself is linked with."""
    return re.search("^Libs:.*-lasyncio(.*)$", (build / "asyncio.pc").read_text(), re.M)[1].split()


def as_cpp(program, build, folder):
    path = folder / "program.cpp"
    path.write_text(print_cpp.source(program))
    complaints = output(["g++", "-std=c++20", "-O0", *(f"-I{ROOT / one}" for one in ("include", "src", "tests/conformance/interpreter")),
                         path, build / "conformance" / "libconformance.a", build / "libasyncio.a", *libraries(build),
                         "-o", folder / "program"])
    return complaints or output([folder / "program"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=10, metavar="COUNT")
    parser.add_argument("--python", default=os.environ.get("ASYNCIO_PYTHON", "python3.14"))
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    build = options.build.resolve()
    seed, checked, wrong = options.seed, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        while checked < options.count:
            program = generator.program(seed, "sync" if seed % 2 else "")
            path = folder / "program.json"
            path.write_text(interpreters.as_line(program) + "\n")
            traces, _ = interpreters.run([build / "conformance" / "interpreter"], path, 60)
            if "circle" not in traces[0] and traces[0].count("\n") < MOST_LINES:
                checked += 1
                for language, found in (("Python", as_python(program, options.python, folder)),
                                        ("C++", as_cpp(program, build, folder))):
                    if found != traces[0]:
                        wrong += 1
                        print(f"seed {seed} as {language} prints\n{found}\ninstead of\n{traces[0]}\n")
            seed += 1
    print(f"{checked} programs printed as Python and as C++, {wrong} times with another trace")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
