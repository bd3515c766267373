#!/usr/bin/env python3
"""Turns the ```cpp blocks of Markdown files into C++ that the build compiles.

extract_snippets.py OUT FILE.md...   writes OUT/programs/<page>_<line>.cpp for every block with an `int main(`, and
                                     OUT/fragments/<page>.cpp with all other blocks of the page
extract_snippets.py --self-test

A program without any #include gets tests/docs/prelude.h; a fragment always does, and sits in a namespace of its own.
The comment on the line before a block may say:  <!-- snippet: body -->         statements, put inside a coroutine
                                                 <!-- snippet: skip reason -->  not compiled, and why
"""
import pathlib
import re
import sys
import tempfile
from typing import NamedTuple

PRELUDE = '#include "docs/prelude.h"\n'
MARK = re.compile(r"<!--\s*snippet:\s*(body|skip\s+\S.*?)\s*-->\s*")
ANY_MARK = re.compile(r"<!--\s*snippet:")


class Block(NamedTuple):
    line: int  # of the first line of code, from 1
    kind: str  # program, fragment, body or skip
    code: str


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
                sys.exit(f"{name}:{start}: say 'snippet: body' or 'snippet: skip <reason>'")
            code = "\n".join(lines[start:i]) + "\n"
            kind = mark[1].split()[0] if mark else "program" if re.search(r"\bint main\(", code) else "fragment"
            yield Block(start + 1, kind, code)
        i += 1


def fragment(block, page):
    """The block's own includes, and the block in a namespace; #line makes the compiler speak of the Markdown file."""
    includes = [line for line in block.code.splitlines() if line.lstrip().startswith("#include")]
    code = re.sub(r"^\s*#include.*$", "", block.code, flags=re.M)
    before, after = ("Coro<> snippet() {", "co_return;\n}\n") if block.kind == "body" else ("", "")
    text = f'namespace snippet_{block.line} {{ {before}\n#line {block.line} "{page}"\n{code}{after}}}\n'
    return "".join(f"{line}\n" for line in includes), text


def extract(out, pages):
    files = {}
    for page in pages:
        found = list(blocks(page.read_text(), page))
        fragments = [fragment(block, page) for block in found if block.kind in ("fragment", "body")]
        if fragments:
            files[out / "fragments" / f"{page.stem}.cpp"] = (
                PRELUDE + "".join(head for head, _ in fragments) + "".join(text for _, text in fragments))
        for block in found:
            if block.kind == "program":
                prelude = "" if "#include" in block.code else PRELUDE
                files[out / "programs" / f"{page.stem}_{block.line}.cpp"] = (
                    f'{prelude}#line {block.line} "{page}"\n{block.code}')
    for path in {*out.glob("*/*.cpp")} - set(files):
        path.unlink()
    for path, text in files.items():
        if not path.exists() or path.read_text() != text:  # unchanged files are not compiled again
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return files


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
"""
    found = list(blocks(text))
    assert [(b.line, b.kind) for b in found] == [(3, "program"), (7, "body"), (12, "skip"), (18, "fragment")], found
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "page.md")
        page.write_text(text)
        files = {path.name: code for path, code in extract(pathlib.Path(folder, "out"), [page]).items()}
    assert files["page_3.cpp"] == f'{PRELUDE}#line 3 "{page}"\nint main() {{}}\n', files
    whole = files["page.cpp"]
    assert whole.index("#include <map>") < whole.index("namespace snippet_7 { Coro<> snippet() {") and "int x" not in whole
    try:
        list(blocks("<!-- snippet: skip -->\n```cpp\n```\n"))
    except SystemExit:
        return
    raise AssertionError("a skip without a reason must be refused")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    extract(pathlib.Path(sys.argv[1]), [pathlib.Path(page).resolve() for page in sys.argv[2:]])
