#!/usr/bin/env python3
"""Plants a bug in a copy of the sources and counts the random programs that it takes to find it.

mutants.py --python PYTHON --build FOLDER [NAME...]

Each mutants/NAME.patch is a bug; its first line says what is wrong then. One that no longer applies, does not compile
or is not found makes the run fail. What CPython prints for the programs is kept in FOLDER.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generator
import interpreters
import shrink
import sources

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COPIED = ("CMakeLists.txt", "CMakePresets.json", "cmake", "include", "src", "tests/conformance")
CHUNK = 500


class NotFound(Exception):
    """A bug stayed hidden, or could not be planted."""


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise NotFound(f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}")


class Mutants:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(options.build).resolve()
        self.copy = self.folder / "source"
        self.expected = {}
        self.folder.mkdir(parents=True, exist_ok=True)

    def copy_sources(self):
        """Only what differs is touched, so that a second run compiles little."""
        for name in COPIED:
            files = [ROOT / name] if (ROOT / name).is_file() else sorted(p for p in (ROOT / name).rglob("*") if p.is_file())
            for file in files:
                target = self.copy / file.relative_to(ROOT)
                if not target.exists() or target.read_bytes() != file.read_bytes():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
        for folder in ("include", "src"):
            for file in (self.copy / folder).rglob("*"):
                if file.is_file() and not (ROOT / file.relative_to(self.copy)).exists():
                    file.unlink()

    def build(self):
        run("cmake", "-S", self.copy, "-B", self.folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_CXX_FLAGS_RELEASE=-O1", "-DASYNCIO_BUILD_TESTS=OFF",
            "-DASYNCIO_BUILD_EXAMPLES=OFF", "-DASYNCIO_BUILD_CONFORMANCE=ON", "--log-level=WARNING", cwd=self.copy)
        run("cmake", "--build", self.folder / "build", "--target", "conformance_interpreter", cwd=self.copy)
        return self.folder / "build" / "conformance" / "interpreter"

    def chunk(self, pair, first, count):
        """Programs, and CPython's traces of them."""
        programs = [generator.program_line(seed, self.weight) for seed in range(first, first + count)]
        key = self.weight, first
        if key not in self.expected:
            kept = self.folder / f"expected_{self.weight}{first}.json"
            if kept.exists():
                known, traces = json.loads(kept.read_text())
            if not kept.exists() or known != programs:
                traces = pair.expected(programs, self.folder)
                kept.write_text(json.dumps([programs, traces]))
            self.expected[key] = traces
        return programs, self.expected[key]

    def search(self, pair):
        """The number of programs until one shows the bug; that program's seed."""
        last = self.options.seed + self.options.most
        for first in range(self.options.seed, last, CHUNK):
            programs, expected = self.chunk(pair, first, min(CHUNK, last - first))
            results = pair.found(programs, expected, self.folder, timeout=60)
            for number, result in enumerate(results):
                if result is not None:
                    return first - self.options.seed + number + 1, first + number
        raise NotFound(f"not found by {self.options.most} programs")

    def report(self, pair, seed, name):
        program = shrink.shrink(generator.program(seed, self.weight),
                                lambda programs: (pair.first_differing(programs, 20) or (None,))[0])
        print(sources.report(program, *pair.first_differing([program])[1:]))
        if self.options.save:
            pathlib.Path(self.options.save, f"{name}.json").write_text(interpreters.as_line(program) + "\n")

    def try_one(self, patch):
        name = patch.stem
        what = patch.read_text().split("\n", 1)[0]
        print(f"{name}: {what}", flush=True)
        started = time.monotonic()
        # What is wrong with locks and queues is looked for by programs about them, unless others are asked for.
        self.weight = self.options.weight or ("sync" if "+++ b/src/sync/" in patch.read_text() else "")
        changed = re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.M)
        self.copy_sources()
        try:
            run("patch", "-p1", "--fuzz=0", "--input", patch.resolve(), cwd=self.copy)
            pair = interpreters.Pair(self.options.python, self.build())
            count, seed = self.search(pair)
            print(f"    found by program {count} (seed {seed}), {time.monotonic() - started:.0f} s", flush=True)
            if self.options.shrink:
                self.report(pair, seed, name)
        finally:
            for path in changed:
                for left in self.copy.glob(f"{path}.*"):  # .orig, .rej
                    left.unlink()

                shutil.copyfile(ROOT / path, self.copy / path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of mutants/, or the path of a patch; default: all of mutants/")
    parser.add_argument("--python", default=os.environ.get("ASYNCIO_PYTHON", "python3.14"))
    parser.add_argument("--build", required=True, metavar="FOLDER")
    parser.add_argument("--most", type=int, default=20000, help="give up after so many programs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weight", choices=("", "sync"), default="")
    parser.add_argument("--shrink", action="store_true", help="show a minimal program for each")
    parser.add_argument("--save", metavar="FOLDER", help="where to put the minimal programs")
    options = parser.parse_args()
    patches = [pathlib.Path(name) if name.endswith(".patch") else HERE / "mutants" / f"{name}.patch" for name in options.names]
    patches = patches or sorted((HERE / "mutants").glob("*.patch"))
    mutants = Mutants(options)
    hidden = []
    for patch in patches:
        try:
            mutants.try_one(patch)
        except NotFound as error:
            hidden.append(patch.stem)
            print(f"    FAILED: {error}", flush=True)
    print(f"{len(patches)} planted bugs, {len(patches) - len(hidden)} found"
          + (f"; not: {', '.join(hidden)}" if hidden else ""))
    return int(bool(hidden))


if __name__ == "__main__":
    sys.exit(main())
