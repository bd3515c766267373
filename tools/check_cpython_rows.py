#!/usr/bin/env python3
"""Each behaviour that CPython's own tests of asyncio assert is a test of ours, or cannot be one.

tests/cpython/behaviours.csv      the behaviours, by CPython's module, class and test
tests/cpython/not_applicable.csv  those that have no meaning here, each with the reason
tests/cpython/later.csv           io behaviours whose subject is not built yet: a pattern of `Class.test` and what they
                                  wait for; the first pattern that fits counts, and who builds the subject takes it out

A test names what it ports in comments above it, a line each: `// CPython: test_locks.py, EventTests.test_wait`.

check_cpython_rows.py [ROOT]      check_cpython_rows.py --self-test
"""
import collections
import csv
import fnmatch
import pathlib
import re
import sys
import tempfile

CLAIM = re.compile(r"// CPython: (test_\w+)\.py, (\w+\.test_\w+)")
TEST = re.compile(r"(TEST|TEST_F|TEST_P|TYPED_TEST)\(|static_assert\(")


def read(path, *columns):
    with open(path, newline="") as file:
        for line in csv.DictReader(file):
            yield [(line[column] or "").strip() for column in columns]


def claims(root):
    """Yields (row, place, what is wrong with the comment or None)."""
    for path in sorted(root.glob("tests/**/*")):
        if path.suffix not in (".cpp", ".h"):
            continue
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if "CPython: test_" not in line:
                continue
            place = f"{path.relative_to(root)}:{number + 1}"
            match = CLAIM.fullmatch(line)
            below = next((text for text in lines[number:] if not text.startswith("//")), "")
            if not match:
                yield None, place, "not of the form `// CPython: test_locks.py, EventTests.test_wait`"
            else:
                yield (match[1], match[2]), place, None if TEST.match(below) else "no test stands below it"


class Rows:
    """What is known of every row, and what is wrong."""

    def __init__(self, root):
        self.complaints, self.state = [], {}
        folder = root / "tests/cpython"
        kinds = {(module, f"{cls}.{test}"): kind
                 for module, cls, test, kind in read(folder / "behaviours.csv", "module", "class", "test", "kind")}
        ported = {}
        for row, place, wrong in claims(root):
            if wrong or row not in kinds:
                self.complain(f"{place}: {wrong or 'not in tests/cpython/behaviours.csv: ' + ', '.join(row)}")
            else:
                ported.setdefault(row, place)
        reasons = {}
        for module, cls, test, reason in read(folder / "not_applicable.csv", "module", "class", "test", "reason"):
            row = (module, f"{cls}.{test}")
            wrong = ("not in behaviours.csv" if row not in kinds else "named twice" if row in reasons else
                     "no reason given" if not reason else row in ported and f"ported in {ported[row]}")
            if wrong:
                self.complain(f"not_applicable.csv: {', '.join(row)}: {wrong}")
            reasons[row] = reason
        later = list(read(folder / "later.csv", "module", "rows", "waits_for"))
        fitting = set()
        for row, kind in kinds.items():
            waits = next((index for index, (module, pattern, _) in enumerate(later)
                          if kind == "io" and module == row[0] and fnmatch.fnmatchcase(row[1], pattern)), None)
            if row in ported:
                self.state[row] = "ported"
            elif row in reasons:
                self.state[row] = "not applicable"
            elif waits is not None:
                fitting.add(waits)
                self.state[row] = f"later: {later[waits][2]}"
            else:
                self.state[row] = "missing"
                self.complain(f"{', '.join(row)}: neither ported nor in not_applicable.csv")
        for index, (module, pattern, subject) in enumerate(later):
            if index not in fitting or not subject:
                self.complain(f"later.csv: {module},{pattern}: " + ("covers no row" if subject else "waits for nothing"))

    def complain(self, text):
        self.complaints.append(text)

    def table(self):
        count = collections.Counter((module, state.split(":")[0]) for (module, _), state in self.state.items())
        yield f"{'':24}ported  not applicable  later  missing"
        for module in sorted({module for module, _ in self.state}):
            waits = sorted({state[7:] for (of, _), state in self.state.items() if of == module and state.startswith("later")})
            numbers = [count[module, state] for state in ("ported", "not applicable", "later", "missing")]
            yield f"{module:24}{numbers[0]:6}{numbers[1]:16}{numbers[2]:7}{numbers[3]:9}  {', '.join(waits)}".rstrip()


def self_test():
    behaviours = "module,class,test,kind,summary\n" + "".join(f"test_a,A,test_{name},{kind},s\n" for name, kind in (
        ("ported", "core"), ("twice", "core"), ("missing", "core"), ("gone", "core"), ("bare", "core"), ("both", "core"),
        ("socket", "io"), ("open", "io")))
    files = {
        "tests/cpython/behaviours.csv": behaviours + "test_b,B,test_b,io,s\n",
        "tests/cpython/not_applicable.csv": "module,class,test,reason\ntest_a,A,test_gone,\"it, too\"\n"
                                            "test_a,A,test_bare,\ntest_a,A,test_both,x\ntest_a,A,test_who,x\n",
        "tests/cpython/later.csv": "module,rows,waits_for\ntest_a,A.test_socket,sockets\ntest_a,A.test_m*,x\n"
                                   "test_b,*,\n",
        "tests/a/a_test.cpp": "// CPython: test_a.py, A.test_ported\n// CPython: test_a.py, A.test_twice\nTEST(A, B) {}\n"
                              "// CPython: test_a.py, A.test_both\n// and why\nstatic_assert(true);\n"
                              "// CPython: test_a.py, A.test_unknown\nTEST_F(A, C) {}\n"
                              "// CPython: test_a.py, A.test_open, test_missing\nTYPED_TEST(A, D) {}\n"
                              "// CPython: test_a.py, A.test_twice\nint x;\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        rows = Rows(pathlib.Path(folder))
        text = "\n".join(rows.complaints)
        for part in ("a_test.cpp:7: not in tests", "a_test.cpp:9: not of the form", "a_test.cpp:11: no test stands",
                     "A.test_bare: no reason", "A.test_both: ported in tests/a/a_test.cpp:4", "A.test_who: not in",
                     "A.test_missing: neither", "A.test_open: neither", "A.test_m*: covers no row", "*: waits for nothing"):
            assert part in text, (part, text)
        assert len(rows.complaints) == 10, text
        assert list(rows.table())[1] == f"test_a{3:24}{2:16}{1:7}{2:9}  sockets", list(rows.table())
        for name in list(files)[1:3]:
            pathlib.Path(folder, name).write_text(files[name].splitlines()[0])
        pathlib.Path(folder, "tests/cpython/behaviours.csv").write_text(behaviours.split("test_a,A,test_twice")[0])
        pathlib.Path(folder, "tests/a/a_test.cpp").write_text("// CPython: test_a.py, A.test_ported\nTEST(A, B) {}\n")
        assert not Rows(pathlib.Path(folder)).complaints


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    rows = Rows(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent))
    print("\n".join([*rows.table(), *rows.complaints]))
    sys.exit(bool(rows.complaints))
