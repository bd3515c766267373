#!/usr/bin/env python3
"""Every public name (tools/api_names.txt) is declared in include/asyncio and has a table row in docs/from-python.md.

check_python_map.py [ROOT]      check_python_map.py --self-test
"""
import pathlib
import re
import sys
import tempfile


def words(lines):
    return {word for line in lines for word in re.findall(r"\w+", line)}


def complaints(root):
    lines = (root / "tools/api_names.txt").read_text().splitlines()
    names = [name for line in lines for name in line.split("#")[0].split()]
    page = root / "docs/from-python.md"
    rows = words(line for line in page.read_text().splitlines() if line.startswith("|")) if page.exists() else set()
    headers = words(
        re.sub(r"//.*", "", line)
        for path in root.glob("include/asyncio/**/*.h") for line in path.read_text().splitlines())
    for name in names:
        last = name.split(".")[-1]
        if last not in headers:
            yield f"{name}: not declared in include/asyncio"
        if last not in rows:
            yield f"{name}: no table row in docs/from-python.md"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {
            "tools/api_names.txt": "# a comment\nTask Task.cancel\nlost\n",
            "include/asyncio/core/task.h": "class Task { void cancel(); };  // lost\n",
            "docs/from-python.md": "lost\n| `task.cancel()` | the same |\n",
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = list(complaints(root))
    assert found == ["Task: no table row in docs/from-python.md", "lost: not declared in include/asyncio",
                     "lost: no table row in docs/from-python.md"], found


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    found = list(complaints(root))
    print("\n".join(found) or "every public name is declared and mapped")
    sys.exit(bool(found))
