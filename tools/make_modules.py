#!/usr/bin/env python3
"""Writes modules/asyncio.cppm and modules/asyncio.tls.cppm: the public names, for `import asyncio;`.

make_modules.py [--check]     --check: fails when they are not as they would be written
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools/site"))
import reference

MODULES = {"asyncio": "", "asyncio.tls": "export import asyncio;\n"}  # and what they import
# What a coroutine of the importer, and its structured bindings, need of the standard library, whatever it includes itself.
COROUTINES = """
export namespace std {
using std::coroutine_handle;
using std::coroutine_traits;
using std::get;  // auto [a, b] = co_await gather(...)
}  // namespace std
"""


def operators(root, folder):
    """Those of flags and pipelines that stand in the namespace."""
    found = set()
    for path in (root / "include/asyncio").glob("*/*.h"):
        if (path.parent.name == "tls") == (folder == "tls"):
            found |= set(re.findall(r"^(?:constexpr |inline )*\w+ (operator[|&~+-]+)\(", path.read_text(), re.M))
    return found


def module(name, names, root):
    mine = [entry for entry in names if entry.file.startswith("asyncio/tls/") == (name == "asyncio.tls")]
    scopes = {"": set(operators(root, "tls" if name == "asyncio.tls" else "")), "subprocess": set()}
    for entry in mine:
        if entry.scope in scopes and not entry.name.startswith("operator") and not entry.kind.startswith("enumerator"):
            scopes[entry.scope].add(entry.name)
            first = entry.signatures[0]
            if entry.kind == "enum" and not re.match(r"enum (class|struct)", first) or entry.name == "ReturnWhen":
                scopes[entry.scope] |= {value.name for value in entry.members}
    text = "// Written by tools/make_modules.py.\nmodule;\n\n" + "".join(f"#include <{header}>\n" for header in sorted({entry.file for entry in mine}))
    text += f"\nexport module {name};\n{MODULES[name]}"
    if name == "asyncio":
        text += COROUTINES
    for scope, found in scopes.items():
        if found:
            space = f"asyncio::{scope}" if scope else "asyncio"
            text += f"\nexport namespace {space} {{\n" + "".join(f"using {space}::{word};\n" for word in sorted(found)) + f"}}  // namespace {space}\n"
    return text


def main(check):
    names = reference.read(ROOT)
    old = []
    for name in MODULES:
        path, text = ROOT / f"modules/{name}.cppm", module(name, names, ROOT)
        if check and path.read_text() != text:
            old.append(path.name)
        elif not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    if old:
        print(f"{', '.join(old)}: write anew by tools/make_modules.py")
    return bool(old)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
