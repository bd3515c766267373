#!/usr/bin/env python3
"""What the pages show of the program shop.cpp is what the tools say of it.

A block behind `<!-- shop: ... -->` is compared, but for addresses, numbers of processes, ports and moments."""
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from cores_test import core_of
from gdb_test import gdb, has_debug_information
from support import HAS_SANITIZER, INSPECT, PROGRAMS, main, running

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOP = PROGRAMS[-1]
BLOCK = re.compile(r"<!-- shop: (.*?) -->\n```\w*\n(.*?)```", re.S)


def blocks(kind):
    found = [text for page in ("inspect.md", "debugging.md") for what, text in BLOCK.findall((ROOT / "docs" / page).read_text())
             if what == kind]
    assert found, f"no page has a block of {kind!r}"
    return found


def plain(text):
    lines = []
    for line in text.rstrip().splitlines():
        if line.startswith(("$ ", "(gdb) ")):
            continue
        line = re.sub(r"0x[0-9a-f]+", "0x1", line)
        line = re.sub(r"\d+\.\d+ (s|seconds)\b", r"1.0 \1", line)
        line = re.sub(r"(127\.0\.0\.1(?::|', ))\d+", r"\g<1>1", line)
        line = re.sub(r"(process|thread) \d+", r"\1 1", line)
        line = re.sub(r"[\w./-]+/(\w+\.(cpp|h):)", r"\1", line)
        line = re.sub(r"(\w+\.h):\d+", r"\1:1", line)  # the library's own
        indent = re.match(r"[\s│├└─]*", line)[0]
        lines.append(indent + re.sub(r" +", " ", line[len(indent):]).rstrip())
    return "\n".join(lines)


class Pages(unittest.TestCase):
    maxDiff = None

    def compare(self, kind, said):
        for text in blocks(kind):
            self.assertEqual(plain(text), plain(said), f"the page shows other than `{kind}` says:\n{said}")

    def test_asyncio_inspect(self):
        with running(SHOP, stderr=subprocess.DEVNULL) as process:
            for kind in "ps", "pstree":
                with self.subTest(kind):
                    done = subprocess.run([INSPECT, kind, str(process.pid)], capture_output=True, text=True, check=True, timeout=60)
                    self.compare(kind, done.stdout)

    @unittest.skipIf(HAS_SANITIZER, "core files of programs with AddressSanitizer are terabytes")
    def test_a_core_file(self):
        with tempfile.TemporaryDirectory() as folder:
            core = core_of(SHOP, folder)
            done = subprocess.run([INSPECT, "ps", core], capture_output=True, text=True, check=True, timeout=60)
            self.compare("core", done.stdout)

    def test_a_signal_prints_all_tasks(self):
        with tempfile.TemporaryFile("w+") as errors, running(SHOP, stderr=errors) as process:
            process.send_signal(signal.SIGQUIT)
            end, size = time.monotonic() + 30, -1
            while time.monotonic() < end and (errors.seek(0, 2) == 0 or errors.tell() != size):
                size = errors.tell()
                time.sleep(0.2)
            errors.seek(0)
            self.compare("SIGQUIT", errors.read())

    def test_gdb(self):
        if not shutil.which("gdb") or not has_debug_information(SHOP):
            self.skipTest("no gdb, or built without -g")
        for text in blocks("gdb"):
            commands = [line[6:] for line in text.splitlines() if line.startswith("(gdb) ") and "source" not in line]
            with running(SHOP, stderr=subprocess.DEVNULL) as process:
                said = gdb("-p", process.pid, commands=["echo BEGIN\\n", *commands])
            self.assertEqual(plain(text), plain(said.split("BEGIN\n")[1].split("[Inferior")[0]), said)


if __name__ == "__main__":
    main()
