#!/usr/bin/env python3
"""Says which lines and branches of the library random programs reach: a table per file, then what they do not reach.

coverage.py --build FOLDER [COUNT] [--files WORD] [--all]

FOLDER is a build with --coverage. A branch is one way that an `if`, a loop or a condition can go; the ways of
exceptions through calls are not counted. What is not reached, with its reason: COVERAGE.md.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generator
import interpreters

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDERS = ("core", "tasks", "sync")
CHUNK = 1000


def run_programs(build, seed, count):
    """Half of them on locks, queues and generators, as in the recorded corpus."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "programs")
        for first in range(seed, seed + count, CHUNK):
            seeds = range(first, min(first + CHUNK, seed + count))
            path.write_text("".join(generator.program_line(one, "sync" if one % 2 else "") + "\n" for one in seeds))
            _, wrong = interpreters.run([str(build / "conformance" / "interpreter")], path, 300)
            if wrong:
                raise SystemExit(f"the interpreter: {wrong}")


class File:
    def __init__(self):
        self.lines = collections.Counter()
        self.branches = collections.Counter()  # (line, number) -> how often it was taken

    def add(self, line):
        number = line["line_number"]
        self.lines[number] += line["count"]
        if line.get("unexecuted_block") and line["count"] == 0:
            self.lines[number] += 0
        for i, branch in enumerate(b for b in line["branches"] if not b["throw"]):
            self.branches[number, i] += branch["count"]

    def unreached(self):
        """Lines, and those lines of which a branch is never taken."""
        lines = [number for number, count in self.lines.items() if count == 0]
        partly = {number for (number, _), count in self.branches.items() if count == 0 and self.lines[number] > 0}
        return sorted(lines), sorted(partly)


def gather_counts(build, files):
    counted = collections.defaultdict(File)
    objects = [path for path in (build / "CMakeFiles" / "asyncio.dir" / "src").rglob("*.gcda")]
    objects += (build / "CMakeFiles" / "conformance.dir").rglob("*.gcda")
    for path in objects:
        done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", path],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, cwd=build)
        for text in done.stdout.splitlines():
            for file in json.loads(text)["files"]:
                name = pathlib.Path(build, file["file"]).resolve()
                if not name.is_relative_to(ROOT):
                    continue
                name = str(name.relative_to(ROOT))
                folders = [f"src/{one}/" for one in FOLDERS] + [f"include/asyncio/{one}/" for one in FOLDERS]
                if name.startswith(tuple(folders)) and files in name:
                    for line in file["lines"]:
                        counted[name].add(line)
    return counted


def percent(reached, of):
    return f"{reached:5} of {of:5} {100 * reached / of if of else 100:6.1f} %"


def print_table(counted):
    print(f"{'file':44}{'lines':>22}{'branches':>24}")
    total = collections.Counter()
    for name in sorted(counted):
        file = counted[name]
        row = [sum(map(bool, file.lines.values())), len(file.lines),
               sum(map(bool, file.branches.values())), len(file.branches)]
        total.update(dict(enumerate(row)))
        print(f"{name:44}{percent(*row[:2])}  {percent(*row[2:])}")
    print(f"{'together':44}{percent(total[0], total[1])}  {percent(total[2], total[3])}")


def print_unreached(counted):
    for name in sorted(counted):
        lines, partly = counted[name].unreached()
        source = (ROOT / name).read_text().splitlines()
        shown = [(number, "never") for number in lines] + [(number, "a way") for number in partly]
        if shown:
            print(f"\n{name}")
        for number, what in sorted(shown):
            print(f"  {number:4} {what}  {source[number - 1].strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=20000, metavar="COUNT", help="how many programs")
    parser.add_argument("--build", required=True, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", default="", metavar="WORD", help="only files with WORD in their name")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    for old in build.rglob("*.gcda"):
        old.unlink()
    run_programs(build, options.seed, options.count)
    counted = gather_counts(build, options.files)
    print_table(counted)
    print_unreached(counted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
