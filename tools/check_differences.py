#!/usr/bin/env python3
"""What the random programs leave out is what docs/from-python.md says, and nothing else.

Each place in tests/conformance that says `differs: ROW; ROW` names rows of the page's tables, and the rows so named are
those whose first cell ends with a degree sign.

check_differences.py [ROOT]      check_differences.py --self-test
"""
import pathlib
import re
import sys
import tempfile

PLACE = re.compile(r'differs: (.*?)(?:"""|\*/|$)')


def marked(root):
    page = (root / "docs/from-python.md").read_text()
    return {row.strip() for row in re.findall(r"^\|(.*?) ° \|", page, re.M)}


def left_out(root):
    found = {}
    for path in sorted((root / "tests/conformance").rglob("*")):
        if path.suffix not in (".py", ".h", ".cpp"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for rows in PLACE.findall(line):
                for row in rows.split(";"):
                    found.setdefault(row.strip(), f"{path.relative_to(root)}:{number}")
    return found


def complaints(root):
    rows, places = marked(root), left_out(root)
    for row in sorted(set(places) - rows):
        yield f"{places[row]}: docs/from-python.md has no marked row '{row}'"
    for row in sorted(rows - set(places)):
        yield f"docs/from-python.md: nothing in tests/conformance differs by '{row}'"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {
            "docs/from-python.md": "| order ° | a | b |\n| gone ° | a | b |\n| other | a | b |\n",
            "tests/conformance/python/a.py": 'x = 1  # differs: order; new\n"""Text. differs: order"""\n',
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = list(complaints(root))
    assert found == ["tests/conformance/python/a.py:1: docs/from-python.md has no marked row 'new'",
                     "docs/from-python.md: nothing in tests/conformance differs by 'gone'"], found


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    found = list(complaints(root))
    print("\n".join(found) or "the random programs leave out what docs/from-python.md says")
    sys.exit(bool(found))
