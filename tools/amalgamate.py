#!/usr/bin/env python3
"""The library as two files, for a project that wants no build system of it: asyncio.h and asyncio.cpp.

amalgamate.py OUT [ROOT] [--tls]    --tls: asyncio_tls.h and asyncio_tls.cpp, too, which need OpenSSL 3

#include "asyncio.h" is all, child processes too.
c++ -std=c++20 -pthread -IOUT program.cpp OUT/asyncio.cpp; with -DASYNCIO_HAS_IO_URING and -luring it has io_uring.
"""
import argparse
import pathlib
import re

INCLUDE = re.compile(r'#include (?:<(asyncio/[^>]+)>|"([^"]+)")')
NO_WARNINGS = """#if defined(__GNUC__) && !defined(__clang__)  // what g++ is wrong about when all is one file
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
"""


class File:
    """Text that takes each header of the library once, where it is first included."""

    def __init__(self, root, known):
        self.root, self.known, self.parts = root, known, []

    def add(self, path):
        """A file of the library by its path from the root."""
        if path in self.known:
            return
        self.known.add(path)
        self.parts.append(f"\n// ---- {path}\n")
        for line in (self.root / path).read_text().splitlines():
            include = INCLUDE.match(line)
            if include and (found := self.find(include)):
                self.add(found)
            elif line != "#pragma once":
                self.parts.append(f"{line}\n")

    def find(self, include):
        for folder in ("include", "src"):
            path = f"{folder}/{include[1] or include[2]}"
            if (self.root / path).exists():
                return path
        return None

    def text(self):
        return re.sub(r"\n{3,}", "\n\n", "".join(self.parts))


def sources(root, is_tls):
    return [path for path in sorted(str(path.relative_to(root)) for path in (root / "src").rglob("*.cpp"))
            if path.startswith("src/tls/") == is_tls]


def write(out, root, name, entries, is_tls, known, head):
    """One header and one source. `known` is what other headers before have, and gets what this one has."""
    header = File(root, known)
    for entry in entries:
        header.add(f"include/asyncio/{entry}")
    (out / f"{name}.h").write_text(f"#pragma once\n{head}{header.text()}")
    source = File(root, set(known))
    for path in sources(root, is_tls):
        if path.startswith("src/os/uring_"):
            source.parts.append("\n#ifdef ASYNCIO_HAS_IO_URING\n")
            source.add(path)
            source.parts.append("#endif\n")
        else:
            source.add(path)
    (out / f"{name}.cpp").write_text(f'{FIRST}#include "{name}.h"\n\n{NO_WARNINGS}{source.text()}')


FIRST = """#ifndef _FILE_OFFSET_BITS  // where a long has 32 bits
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#endif
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("root", type=pathlib.Path, nargs="?", default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--tls", action="store_true")
    arguments = parser.parse_args()
    out, root = arguments.out, arguments.root
    out.mkdir(parents=True, exist_ok=True)
    entries = sorted(path.name for path in (root / "include/asyncio").glob("*.h"))
    licence = "".join(f"// {line}".rstrip() + "\n" for line in (root / "LICENSE").read_text().splitlines())
    known = set()
    write(out, root, "asyncio", ["asyncio.h", *(e for e in entries if e not in ("asyncio.h", "tls.h"))], False, known, licence)
    if arguments.tls:
        write(out, root, "asyncio_tls", ["tls.h"], True, known, '#include "asyncio.h"\n')


if __name__ == "__main__":
    main()
