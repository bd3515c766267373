#!/usr/bin/env python3
"""No struct of keyword arguments has a destructor: g++ 12 runs it twice where braces stand beside a co_await.

check_options.py [ROOT]      check_options.py --self-test

Each public struct that is called so, or `…Options`, is in a `static_assert(std::is_trivially_destructible_v<…>)` of tests/: in
the headers those would cost whoever includes them time.
"""
import pathlib
import re
import sys
import tempfile

STRUCT = re.compile(r"((?:^ *///.*\n)*)^ *(?:struct|class) (\w+)[^;{\n]*\{", re.M)


def option_structs(root):
    for path in sorted((root / "include").rglob("*.h")):
        for comment, name in STRUCT.findall(path.read_text()):
            if "keyword arguments of" in comment or (name.endswith("Options") and comment):
                yield path.relative_to(root), name


def check(root):
    tests = "".join(path.read_text() for path in (root / "tests").rglob("*.cpp"))
    asserted = set(re.findall(r"static_assert\(std::is_trivially_destructible_v<(\w+)>\)", tests))
    found = list(option_structs(root))
    missing = [(path, name) for path, name in found if name not in asserted]
    for path, name in missing:
        print(f"{path}: no test says static_assert(std::is_trivially_destructible_v<{name}>)")
    print(f"{len(found) - len(missing)} of {len(found)} structs of keyword arguments have no destructor")
    return int(bool(missing) or not found)


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "include").mkdir()
        (root / "tests").mkdir()
        header = root / "include/x.h"
        header.write_text("/// The keyword arguments of `f()`.\nstruct WhatItTakes {\n    int a = 0;\n};\n")
        assert check(root) == 1, "one that no test knows must be noticed"
        (root / "tests/x.cpp").write_text("static_assert(std::is_trivially_destructible_v<WhatItTakes>);\n")
        assert check(root) == 0
        header.write_text(header.read_text() + "/// Of g().\nstruct GOptions {\n    int b = 0;\n};\n")
        assert check(root) == 1, "one that is known by its name must be noticed"
        header.write_text("")
        assert check(root) == 1, "that nothing is found must be noticed"


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    sys.exit(check(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent))
