#!/usr/bin/env python3
"""Folders are layers: an #include may point to the same folder or to a lower one (see ARCHITECTURE.md), and
no files include each other in a circle.

check_layers.py [ROOT]    exit 1 and one line per arrow that points the wrong way, and per circle
check_layers.py --self-test
"""
import pathlib
import re
import sys
import tempfile

FLOORS = [  # from the ground up; what shares a floor does not know each other
    ["detail"],
    ["errors"],
    ["context"],
    ["loop"],
    ["core"],
    ["tasks", "sync"],
    ["net"],
    ["process", "tls"],
    ["introspect"],
    ["testing"],
]
BELOW = {}  # what each folder may include, besides itself
for floor in FLOORS:
    lower = set(BELOW)
    BELOW |= {folder: lower for folder in floor}
BELOW["os"] = BELOW["core"]  # it implements what the loop declares, and nobody includes it
UMBRELLAS = {"asyncio.h", "builtins.h", "contextlib.h", "introspect.h", "subprocess.h", "tls.h"}  # headers for programs, in no folder
GROUND = "version.h"  # in no folder, and knows nobody
SYSTEM_LAYERS = {"os", "net", "process"}  # the folders of src/ that may speak to the operating system
SYSTEM_FILES = {
    "src/detail/threads.h",  # what the C library says, in an inline function, of a process
    "src/introspect/native_stack.cpp",  # asks a thread where it stands
    "src/detail/probes.h",  # <sys/sdt.h> says how a probe is written down; it calls nothing
}
SYSTEM_HEADER = re.compile(
    r"<((sys|linux|netinet|net|arpa|asm|bits(?!/chrono))/.*|(unistd|signal|pthread|poll|fcntl|netdb|sched|spawn|dlfcn|execinfo|"
    r"termios|ifaddrs|semaphore|dirent|aio|liburing)\.h)>")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])')


def complaints(root):
    for top in ("include/asyncio", "src"):
        base = root / top
        for path in sorted([*base.rglob("*.h"), *base.rglob("*.cpp")]):
            folder = path.relative_to(base).parts[0]
            if folder in UMBRELLAS or folder == GROUND:
                continue  # for programs only
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                allowed = str(path.relative_to(root)) in SYSTEM_FILES
                reason = match and not allowed and wrong(top, folder, match[1])
                if reason:
                    yield f"{path.relative_to(root)}:{number}: {reason}: {line.strip()}"
    yield from circles(root)


def wrong(top, folder, header):
    if folder not in BELOW:
        return f"folder '{folder}' is no layer known to tools/check_layers.py"
    if SYSTEM_HEADER.fullmatch(header):
        return None if top == "src" and folder in SYSTEM_LAYERS else "only src/os, src/net and src/process may do that"
    name = header[1:-1]
    target = name.removeprefix("asyncio/").split("/")[0]
    if target == GROUND:
        return None
    if target in UMBRELLAS:
        return "the library includes the header that it needs, not the umbrella"
    if target not in BELOW or (header[0] == "<" and not name.startswith("asyncio/")):
        return None
    if top == "include/asyncio" and not name.startswith("asyncio/"):
        return "a public header may not include a private one"
    return None if target == folder or target in BELOW[folder] else f"'{folder}' may not look up at '{target}'"


def circles(root):
    """Files that include each other, each circle once."""
    graph = {}
    for top, prefix in (("include", "<%s>"), ("src", '"%s"')):
        for path in sorted((root / top).rglob("*.h")):
            named = prefix % path.relative_to(root / top)
            graph[named] = [match[1] for line in path.read_text().splitlines() if (match := INCLUDE.match(line))]
    done, way = set(), []

    def walk(header):
        if header in way:
            yield " -> ".join([*way[way.index(header):], header]) + ": files include each other in a circle"
        if header in way or header in done or header not in graph:
            return
        way.append(header)
        for included in graph[header]:
            yield from walk(included)
        way.pop()
        done.add(header)

    for header in graph:
        yield from walk(header)


def self_test():
    files = {
        "include/asyncio/core/task.h": ("#include <asyncio/detail/list.h>\n#include <string>\n", 0),
        "include/asyncio/core/bad.h": ("#include <asyncio/tasks/run.h>\n#include <unistd.h>\n", 2),
        "include/asyncio/core/private.h": ('#include "os/thread_pool.h"\n', 1),
        "include/asyncio/sync/lock.h": ("#include <asyncio/tasks/sleep.h>\n#include <asyncio/asyncio.h>\n", 2),
        "include/asyncio/asyncio.h": ("#include <asyncio/net/server.h>\n", 0),
        "src/core/event_loop.cpp": ('#include "os/wakeup.h"\n#include <signal.h>\n', 2),
        "src/os/wakeup.cpp": ('#include "loop/x.h"\n#include <sys/eventfd.h>\n#include "core/y.h"\n', 1),
        "src/attic/x.cpp": ("#include <string>\n", 1),
        "src/loop/timers.h": ('#include "loop/heap.h"\n#include <asyncio/core/task.h>\n', 1),
        "src/loop/heap.h": ('#include "loop/node.h"\n', 0),
        "src/loop/node.h": ('#include "loop/timers.h"\n', 0),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, _) in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = list(complaints(pathlib.Path(folder)))
    for name, (_, expected) in files.items():
        count = sum(line.startswith(name + ":") for line in found)
        assert count == expected, (name, count, expected, found)
    assert [line for line in found if line.endswith("in a circle")] == [
        '"loop/heap.h" -> "loop/node.h" -> "loop/timers.h" -> "loop/heap.h": files include each other in a circle'], found


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = list(complaints(root))
    print("\n".join(found) or "every include points the right way")
    sys.exit(bool(found))
