#!/usr/bin/env python3
"""Turns the ```cpp blocks of Markdown files into C++ that the build compiles.

extract_snippets.py OUT FILE.md...   writes OUT/programs/<page>_<line>.cpp for every block with an `int main(`, and
                                     OUT/fragments/<page>.cpp with all other blocks of the page, and
                                     OUT/recipes/<page>.cpp and <page>.txt, what it prints
extract_snippets.py --compare PROGRAM TEXT
                                     runs a program and compares what it prints, but for addresses, files and lines
extract_snippets.py --self-test

A program without any #include gets tests/docs/prelude.h; a fragment always does, and sits in a namespace of its own.
The comment on the line before a block may say:  <!-- snippet: body -->         statements, put inside a coroutine
                                                 <!-- snippet: skip reason -->  not compiled, and why
                                                 <!-- snippet: run -->          its `amain()` prints the ```text after it
                                                 <!-- snippet: run virtual -->  the same in virtual time
                                                 <!-- snippet: prints -->       a program that prints the ```text after it
"""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

PRELUDE = '#include "docs/prelude.h"\n'
MARK = re.compile(r"<!--\s*snippet:\s*(body|skip\s+\S.*?|prints|run(?: virtual)?)\s*-->\s*")
ANY_MARK = re.compile(r"<!--\s*snippet:")


class Block(NamedTuple):
    line: int  # of the first line of code, from 1
    kind: str  # program, fragment, body, skip, prints, run or run virtual
    code: str
    output: str = ""  # of one that is run


def blocks(text, name="page"):
    """All C++ blocks of a Markdown text."""
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        fence = re.match(r"\s*(`{3,})(\w*)", lines[i])
        i += 1
        if not fence:
            continue
        start = i
        while i < len(lines) and lines[i].strip() != fence[1]:
            i += 1
        if fence[2] == "cpp":
            before = next((line for line in reversed(lines[: start - 1]) if line.strip()), "").strip()
            mark = MARK.fullmatch(before)
            if ANY_MARK.match(before) and not mark:
                sys.exit(f"{name}:{start}: say 'snippet: body', 'run', 'run virtual', 'prints' or 'skip <reason>'")
            code = "\n".join(lines[start:i]) + "\n"
            kind = "program" if re.search(r"\bint main\(", code) else "fragment"
            if mark:
                kind = "skip" if mark[1].startswith("skip") else mark[1]
            yield Block(start + 1, kind, code, output_after(lines, i + 1, name) if kind.startswith(("run", "prints")) else "")
        i += 1


def output_after(lines, start, name):
    if lines[start : start + 1] != ["```text"]:
        sys.exit(f"{name}:{start}: what this prints belongs into ```text right after it")
    return "".join(f"{line}\n" for line in lines[start + 1 : lines.index("```", start)])


def fragment(block, page):
    """The block's own includes, and the block in a namespace; #line makes the compiler speak of the Markdown file."""
    includes = [line for line in block.code.splitlines() if line.lstrip().startswith("#include")]
    code = re.sub(r"^\s*#include.*$", "", block.code, flags=re.M)
    before, after = ("Coro<> snippet() {", "co_return;\n}\n") if block.kind == "body" else ("", "")
    text = f'namespace snippet_{block.line} {{ {before}\n#line {block.line} "{page}"\n{code}{after}}}\n'
    return "".join(f"{line}\n" for line in includes), text


def program_of(recipes, page):
    """Runs one after the other. Each is told of by its line, so that a difference in what is printed has a place."""
    parts = [fragment(block, page) for block in recipes]
    runs = "".join(f'    std::puts("-- line {block.line}");\n    asyncio::run(snippet_{block.line}::amain()'
                   f'{", {.clock = asyncio::VirtualClock{}}" if block.kind == "run virtual" else ""});\n'
                   for block in recipes)
    return (PRELUDE + "".join(head for head, _ in parts) + "".join(text for _, text in parts) +
            f'#line 1 "runs"\nint main() {{\n    std::setvbuf(stdout, nullptr, _IOLBF, 0);\n{runs}}}\n')


def extract(out, pages):
    files = {}
    for page in pages:
        found = list(blocks(page.read_text(), page))
        fragments = [fragment(block, page) for block in found if block.kind in ("fragment", "body")]
        if fragments:
            files[out / "fragments" / f"{page.stem}.cpp"] = (
                PRELUDE + "".join(head for head, _ in fragments) + "".join(text for _, text in fragments))
        recipes = [block for block in found if block.kind.startswith("run")]
        if recipes:
            files[out / "recipes" / f"{page.stem}.cpp"] = program_of(recipes, page)
            files[out / "recipes" / f"{page.stem}.txt"] = "".join(
                f"-- line {block.line}\n{block.output}" for block in recipes)
        for block in found:
            if block.kind == "prints":
                files[out / "programs" / f"{page.stem}_{block.line}.txt"] = block.output
            if block.kind in ("program", "prints"):
                prelude = "" if "#include" in block.code else PRELUDE
                files[out / "programs" / f"{page.stem}_{block.line}.cpp"] = (
                    f'{prelude}#line {block.line} "{page}"\n{block.code}')
    for path in {*out.glob("*/*.cpp"), *out.glob("*/*.txt")} - set(files):
        path.unlink()
    for path, text in files.items():
        if not path.exists() or path.read_text() != text:  # unchanged files are not compiled again
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return files


def without_places(text):
    """Without what differs from run to run and from file to file."""
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    return re.sub(r'[^\s"\'<]+[.](cpp|md)(["\'], line |:)\d+', r"FILE\2N", text)


def compare(program, text):
    done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    shown, expected = without_places(done.stdout), without_places(pathlib.Path(text).read_text())
    sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), shown.splitlines(True), "the page", "the program"))
    return done.returncode or shown != expected


def self_test():
    text = """
```cpp
int main() {}
```
<!-- snippet: body -->
```cpp
co_await sleep(1s);
```
<!-- snippet: skip it shows what is wrong -->

```cpp
int x = ;
```
```py
no = 1
```
```cpp
#include <map>
Coro<> f();
```
<!-- snippet: run virtual -->
```cpp
Coro<> amain() { std::puts("ran"); co_return; }
```
```text
ran
```
<!-- snippet: prints -->
```cpp
int main() { std::puts("File \\"a.cpp\\", line 1 at 0x7f5c"); }
```
```text
File "b.cpp", line 2 at 0x1
```
"""
    found = list(blocks(text))
    assert [(b.line, b.kind) for b in found] == [(3, "program"), (7, "body"), (12, "skip"), (18, "fragment"),
                                                  (23, "run virtual"), (30, "prints")], found
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "page.md")
        page.write_text(text)
        files = {f"{path.parent.name}/{path.name}": code for path, code in extract(pathlib.Path(folder, "out"), [page]).items()}
    assert files["programs/page_3.cpp"] == f'{PRELUDE}#line 3 "{page}"\nint main() {{}}\n', files
    whole = files["fragments/page.cpp"]
    assert whole.index("#include <map>") < whole.index("namespace snippet_7 { Coro<> snippet() {") and "int x" not in whole
    assert "int main" in files["programs/page_30.cpp"]
    assert without_places(files["programs/page_30.txt"]) == without_places('File "/x/a.cpp", line 1 at 0x7f5c\n') != ""
    assert files["recipes/page.txt"] == "-- line 23\nran\n", files
    try:
        list(blocks("<!-- snippet: skip -->\n```cpp\n```\n"))
    except SystemExit:
        return
    raise AssertionError("a skip without a reason must be refused")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    if sys.argv[1] == "--compare":
        sys.exit(compare(*sys.argv[2:]))
    extract(pathlib.Path(sys.argv[1]), [pathlib.Path(page).resolve() for page in sys.argv[2:]])
