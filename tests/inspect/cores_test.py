#!/usr/bin/env python3
"""asyncio-inspect on core files: whole, without the program's file, cut off, and with bytes that were changed."""
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import FORGER, HAS_SANITIZER, PROGRAMS, Look, inspect, main
from states_test import WAITS


def core_of(program, folder, *arguments):
    """The core file that the system makes of a program that is ready, or None where it makes none there."""
    environment = {**os.environ, "ASAN_OPTIONS": "disable_coredump=0"}
    process = subprocess.Popen([program, *map(str, arguments)], cwd=folder, env=environment, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGABRT)
    process.communicate()
    found = [path for path in pathlib.Path(folder).iterdir() if path.name.startswith("core")]
    if not found and shutil.which("gcore"):
        raise unittest.SkipTest("the system keeps core files elsewhere")
    return found[0] if found else None


@unittest.skipIf(HAS_SANITIZER, "core files of programs with AddressSanitizer are terabytes")
class Cores(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def check(self, look):
        self.assertEqual(look.data["notes"], [])
        for name, text in WAITS.items():
            self.assertEqual(look.by_name[name]["state"], "waits", name)
            text = text.split(r" \(tcp")[0].split(r" \(unix")[0]  # whose a descriptor was nobody knows any more
            self.assertRegex(look.wait(name)["text"], "^" + text, name)
        self.assertEqual([frame["function"] for frame in look.by_name["event"]["stack"]], ["outer", "middle", "inner"])
        self.assertEqual(look.names(look.by_name["awaited"]["awaited_by"]), ["awaits", "completes", "gathers", "shields", "waits"])

    def test_a_core_file_shows_what_the_process_showed(self):
        for program in PROGRAMS:
            with self.subTest(program):
                core = core_of(program, self.folder, "parked")
                look = Look(core)
                self.check(look)
                self.assertGreater(look.data["pid"], 1)
                self.assertIn("└── (T) locks\n", inspect("pstree", core)[1])
                self.assertIn("LONGEST", inspect("top", core)[1])
                core.unlink()

    def test_of_a_stripped_program(self):
        stripped = self.folder / "stripped"
        subprocess.run(["strip", "-o", stripped, PROGRAMS[0]], check=True)
        self.check(Look(core_of(stripped, self.folder, "parked")))

    def test_four_loops(self):
        look = Look(core_of(PROGRAMS[0], self.folder, "loops", 4))
        self.assertEqual([loop["tasks"] for loop in look.loops], [1, 1, 1, 1])

    def test_without_the_program_names_are_missing(self):
        copy = shutil.copy(PROGRAMS[0], self.folder / "copy")
        core = core_of(copy, self.folder, "parked")
        self.check(Look(core))
        copy.unlink()
        look = Look(core)
        self.assertEqual(look.wait("locks")["kind"], "lock")
        self.assertEqual({frame["function"] for frame in look.by_name["event"]["stack"]}, {"?"})
        shutil.copy("/bin/true", copy)  # another program of that name
        self.assertEqual({frame["function"] for frame in Look(core).by_name["event"]["stack"]}, {"?"})

    def test_cut_off(self):
        core = core_of(PROGRAMS[0], self.folder, "parked")
        size = core.stat().st_size
        for part in (0.9, 0.5, 0.2, 0.05, 0.001):
            with open(core, "r+b") as file:
                file.truncate(int(size * part))
            for command in ("ps", "pstree", "graph", "top"):
                code, output, errors = inspect(command, core)
                self.assertTrue(output if code == 0 else errors)


class ChangedBytes(unittest.TestCase):
    def check(self, program, *arguments):
        chance = random.Random(1)
        headers = 20_000  # with the notes
        with tempfile.TemporaryDirectory() as folder:
            core = core_of(program, folder, *arguments)
            whole = core.read_bytes()
            for _ in range(150):
                bytes_now = bytearray(whole)
                for _ in range(chance.choice((1, 5, 50, 1000))):
                    end = chance.choice((64, 2000, headers, len(whole)))
                    bytes_now[chance.randrange(min(end, len(whole)))] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
                core.write_bytes(bytes_now)
                inspect(chance.choice(("ps", "pstree", "graph")), core, "--patience", "5")

    def test_of_a_small_one(self):
        self.check(FORGER, "true")

    @unittest.skipIf(HAS_SANITIZER, "core files of programs with AddressSanitizer are terabytes")
    def test_of_a_program(self):
        self.check(PROGRAMS[0], "parked")


if __name__ == "__main__":
    main()
