#!/usr/bin/env python3
"""linecount counts what `find DIR -type f -print0 | wc --files0-from=-` counts in any locale, and ends cleanly.

linecount_test.py EXE [unittest arguments]
"""
import contextlib
import functools
import os
import pty
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from odd_files import random_soup, random_text, sparse, write

EXE = None
NEUTRAL = {name: value for name, value in os.environ.items()
           if not name.startswith("LC_") and name not in ("LANG", "LANGUAGE", "LOCPATH", "POSIXLY_CORRECT")}
NEUTRAL.update(PYTHONDONTWRITEBYTECODE="1", PYTHONCOERCECLOCALE="0")  # the twin must not take C for C.UTF-8
ENVIRONMENT = {**NEUTRAL, "LC_ALL": "C"}
UTF8 = {**NEUTRAL, "LC_ALL": "C.UTF-8"}
NOBODY = 65534
TOTAL = re.compile(rb"^ *(\d+) +(\d+) +(\d+) total \((\d+) files(, interrupted)?\)\n\Z", re.M)


def linecount(*arguments, env=ENVIRONMENT, **options):
    return subprocess.run([EXE, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, env=env, **options)


def totals(output):
    match = TOTAL.search(output)
    assert match, output
    return tuple(int(number) for number in match.groups()[:3])


def files_in(output):
    return int(TOTAL.search(output)[4])


def wc(folder, env=ENVIRONMENT, **options):
    found = subprocess.run(["find", folder, "-type", "f", "-print0"], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, **options)
    counted = subprocess.run(["wc", "--files0-from=-"], input=found.stdout + b"/dev/null\0",
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, **options)
    return tuple(int(number) for number in counted.stdout.splitlines()[-1].split()[:3])


def wc_ignores_unprintable():
    """GNU wc up to 9.4: a byte that cannot be printed is no part of a word. Later ones take it as a letter."""
    return subprocess.check_output(["wc", "-w"], input=b"\1 \377", env=ENVIRONMENT).strip() == b"0"


def needs_wc_up_to_9_4(test):
    @functools.wraps(test)
    def run_or_skip(self):
        if not wc_ignores_unprintable():
            self.skipTest("this wc counts words by the rule of coreutils 9.5")
        test(self)
    return run_or_skip


class LineCountTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="linecount")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.root])
        os.chmod(self.root, 0o755)
        self.tree = os.path.join(self.root, "tree")
        os.mkdir(self.tree)

    def path(self, *parts):
        return os.path.join(os.fsencode(self.tree), *(os.fsencode(part) for part in parts))

    def assert_same_as_wc(self, status=0):
        for env in (UTF8, ENVIRONMENT):
            done = self.assert_same_as_wc_in(env, status)
        return done

    def assert_same_as_wc_in(self, env, status=0):
        done = linecount(self.tree, env=env)
        self.assertEqual(totals(done.stdout), wc(self.tree, env=env), (done, env.get("LC_ALL")))
        self.assertEqual(done.returncode, status, done)
        return done

    def test_empty_directory(self):
        done = self.assert_same_as_wc()
        self.assertEqual((totals(done.stdout), files_in(done.stdout), done.stderr), ((0, 0, 0), 0, b""))

    def test_plain_text(self):
        write(self.path("a"), b"one two\nthree\n")
        write(self.path("b"), b"no newline at the end")
        write(self.path("empty"), b"")
        done = self.assert_same_as_wc()
        self.assertEqual(totals(done.stdout), (2, 8, 35))
        self.assertEqual(files_in(done.stdout), 3)

    def test_odd_names(self):
        for name in (b"new\nline", b"-n", b" ", b"caf\xc3\xa9", b"\xff\xfe", b"*", b"a\\b", b"%s%n", b'"', b".hidden", b"x" * 255):
            write(self.path(name), b"a b\n")
        os.mkdir(self.path(b"dir\nectory"))
        write(self.path(b"dir\nectory", b"x\ny"), b"c\n")
        self.assertEqual(files_in(self.assert_same_as_wc().stdout), 12)

    @needs_wc_up_to_9_4
    def test_bytes_of_all_kinds(self):
        for byte in range(256):
            write(self.path(f"alone{byte}"), bytes([byte]))
            write(self.path(f"between{byte}"), b"a" + bytes([byte]) + b"b")
            write(self.path(f"among{byte}"), b" " + bytes([byte]) + b" \0" + bytes([byte]) + b"\0z ")
        self.assert_same_as_wc()

    @needs_wc_up_to_9_4
    def test_binary_files(self):
        chance = random.Random(1)
        for number in range(20):
            write(self.path(f"random{number}"), chance.randbytes(chance.randrange(300_000)))
        sparse(self.path("nuls"), 1_000_000)
        write(self.path("utf-8"), "naïve Straße — 漢字\u00a0x\n".encode() * 1000)
        self.assert_same_as_wc()

    def write_random_texts(self, seed):
        chance = random.Random(seed)
        for number in range(60):
            size = chance.choice((3, 20, 200)) if number % 10 else 50_000
            for kind in (random_text, random_soup, random.Random.randbytes):
                write(self.path(f"{kind.__name__}{number}"), kind(chance, size))

    @needs_wc_up_to_9_4
    def test_random_texts(self):
        for seed in range(10):
            self.write_random_texts(seed)
            self.assert_same_as_wc()

    @needs_wc_up_to_9_4
    def test_every_code_point(self):
        for plane in range(17):
            characters = (chr(code) for code in range(plane << 16, (plane + 1) << 16))
            # A letter makes three words of this, a space two, anything else one.
            text = "".join(f"a{c}b {c} {c} " for c in characters)
            write(self.path("plane"), text.encode(errors="surrogatepass"))
            self.assert_same_as_wc()

    @needs_wc_up_to_9_4
    def test_characters_across_the_edges_of_blocks(self):
        characters = [c.encode() for c in ("é", "\u00a0", "\u2003", "\u2028", "漢", "😀", "\U0010ffff")]
        for size in (16384, 65536, 131072):
            for before in range(1, 5):
                for which, character in enumerate(characters):
                    for length in range(1, len(character) + 1):
                        text = b" " * (size - before) + character[:length]
                        name = f"{before}-{which}-{length}-"
                        write(self.path(name + "end"), text)
                        write(self.path(name + "letter"), text + b"a")
                        write(self.path(name + "between"), b"a" * (size - before) + character[:length] + b"b\n")
                        write(self.path(name + "again"), text + character + b" b")
            self.assert_same_as_wc()

    @needs_wc_up_to_9_4
    def test_the_locale_is_chosen_as_wc_chooses_it(self):
        self.write_random_texts(0)
        seen = set()
        for settings in ({}, {"LANG": "C.UTF-8"}, {"LC_CTYPE": "C.UTF-8"}, {"LANG": "C.UTF-8", "LC_CTYPE": "C"},
                         {"LANG": "C", "LC_ALL": "C.UTF-8"}, {"LC_ALL": "nowhere"}, {"LANG": "nowhere"},
                         {"LANG": "C.UTF-8", "LC_TIME": "nowhere"}, {"LC_ALL": "", "LANG": "C.UTF-8"},
                         {"LC_ALL": "C", "POSIXLY_CORRECT": "1"}, {"LC_ALL": "C.UTF-8", "POSIXLY_CORRECT": ""}):
            with self.subTest(settings):
                seen.add(totals(self.assert_same_as_wc_in({**NEUTRAL, **settings}).stdout))
        self.assertIn(len(seen), (1, 3))  # 1 where there is no C.UTF-8

    @needs_wc_up_to_9_4
    def test_locales_that_are_not_utf8(self):
        self.write_random_texts(0)
        env = {**NEUTRAL, "LOCPATH": self.root}
        for language, charmap in (("en_US", "ISO-8859-1"), ("zh_CN", "GB18030"), ("ja_JP", "EUC-JP")):
            with self.subTest(charmap):
                made = os.path.join(self.root, charmap)
                try:
                    subprocess.run(["localedef", "-c", "-i", language, "-f", charmap, made], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, check=True, timeout=60)
                except (OSError, subprocess.SubprocessError):
                    self.skipTest(f"cannot make a locale of {charmap}")
                for more in ({}, {"POSIXLY_CORRECT": "1"}):
                    self.assert_same_as_wc_in({**env, "LC_ALL": charmap, **more})

    def test_words_across_the_edges_of_blocks(self):
        for size in (4095, 4096, 4097, 65535, 65536, 65537, 131072, 262144, 1 << 20):
            write(self.path(f"word{size}"), b"a" * (size - 1) + b"bc d")
            write(self.path(f"space{size}"), b"a" * (size - 1) + b" b")
            write(self.path(f"newline{size}"), b"a" * (size - 1) + b"\nb\n")
            write(self.path(f"nul{size}"), b"a" * (size - 1) + b"\0\0b\n")
        self.assert_same_as_wc()

    def test_huge_line(self):
        write(self.path("line"), b"word " * 4_000_000)
        write(self.path("word"), b"w" * 10_000_000)
        self.assert_same_as_wc()

    def test_deep_directories(self):
        deep = self.path()
        for depth in range(150):
            deep = os.path.join(deep, b"d%d" % depth)
            os.mkdir(deep)
            write(os.path.join(deep, b"file"), b"deep down\n")
        self.assertEqual(files_in(self.assert_same_as_wc().stdout), 150)

    def test_many_files(self):
        for number in range(3000):
            write(self.path(f"f{number}"), b"line\n" * (number % 7))
        self.assertEqual(files_in(self.assert_same_as_wc().stdout), 3000)

    def test_only_regular_files_count(self):
        write(self.path("file"), b"a b c\n")
        outside = os.path.join(self.root, "outside")
        os.mkdir(outside)
        write(os.path.join(outside, "file"), b"not mine\n")
        os.symlink(outside, self.path("link_to_directory"))
        os.symlink("file", self.path("link_to_file"))
        os.symlink("nowhere", self.path("dangling"))
        os.symlink(".", self.path("cycle"))
        os.link(self.path("file"), self.path("hard_link"))
        os.mkfifo(self.path("fifo"))  # opening it would block for ever
        self.assertEqual(files_in(self.assert_same_as_wc().stdout), 2)

    def test_unreadable_files_and_directories_lose_nothing_else(self):
        for number in range(30):
            write(self.path(f"file{number}"), b"one two\n")
        for number in (3, 17):
            os.chmod(self.path(f"file{number}"), 0)
        os.mkdir(self.path("closed"))
        write(self.path("closed", "file"), b"unseen\n")
        os.chmod(self.path("closed"), 0)
        user = {}
        if os.geteuid() == 0:  # root reads anything
            user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            try:
                linecount(**user)
            except PermissionError:
                self.skipTest("nobody may not run the program where it is")
        done = linecount(self.tree, **user)
        self.assertEqual(totals(done.stdout), wc(self.tree, **user), done)
        self.assertEqual(totals(done.stdout)[0], 28)
        self.assertEqual(done.returncode, 1)
        errors = done.stderr.splitlines()
        self.assertEqual(len(errors), 3, done)
        for name in (b"file3", b"file17", b"closed"):
            self.assertTrue(any(b"/" + name + b":" in line and b"Permission denied" in line for line in errors), errors)

    def test_a_path_too_long_for_the_system_is_not_too_long(self):
        write(self.path("file"), b"one two\n")
        here = os.open(self.tree, os.O_DIRECTORY)
        for _ in range(20):  # not even root opens what is down there by its path
            os.mkdir("d" * 250, dir_fd=here)
            below = os.open("d" * 250, os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
        below = os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here)
        os.write(below, b"three\n")
        os.close(below)
        os.close(here)
        done = linecount(self.tree)
        self.assertEqual((totals(done.stdout), done.returncode), ((2, 3, 14), 0), done)

    def test_a_folder_that_is_swapped_with_a_link_leads_nowhere(self):
        outside = os.path.join(self.root, "outside")
        os.mkdir(outside)
        os.mkdir(self.path("folder"))
        for number in range(300):
            write(self.path("folder", str(number)), b"mine\n")
            write(os.path.join(outside, str(number)), b"not mine, and longer\n")
        os.symlink(outside, self.path("link"))
        with self.swapping("folder", "link"):
            for _ in range(20):
                lines, words, size = totals(linecount(self.tree).stdout)
                self.assertEqual((words, size), (lines, 5 * lines))

    def test_a_file_that_takes_too_long_loses_nothing_else(self):
        write(self.path("file"), b"one two\n")
        sparse(self.path("endless"), 1 << 42)
        started = time.monotonic()
        done = linecount(self.tree, "0.3")
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual((totals(done.stdout), files_in(done.stdout), done.returncode), ((1, 2, 8), 1, 1), done)
        self.assertRegex(done.stderr, rb"/endless: Timed out\n\Z")

    @contextlib.contextmanager
    def swapping(self, one, other):
        """Two things below the tree, as fast as it goes."""
        swapper = ("import ctypes, sys; exchange = ctypes.CDLL(None).renameat2; print(flush=True)\n"
                   "while exchange(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2) == 0: pass")
        with subprocess.Popen([sys.executable, "-c", swapper, self.path(one), self.path(other)],
                              stdout=subprocess.PIPE) as swapping:
            swapping.stdout.readline()
            try:
                yield
            finally:
                swapping.kill()

    def test_a_file_that_has_become_a_fifo_meanwhile_holds_up_nobody(self):
        for name, make in (("files", os.mknod), ("fifos", os.mkfifo)):
            os.mkdir(self.path(name))
            for number in range(300):
                make(self.path(name, str(number)))
        with self.swapping("files", "fifos"):
            for _ in range(20):  # on a busy machine the one may stand still while the other runs
                done = linecount(self.tree)
                if done.stderr:
                    break
        self.assertIn(b"Not a regular file", done.stderr)
        self.assertEqual(done.returncode, 1)

    def test_lost_output_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EXE, self.tree], stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT)
        self.assertEqual((done.returncode, done.stderr), (1, b"linecount: standard output: No space left on device\n"))

    def test_interrupt_keeps_what_was_counted(self):
        for number in range(50):
            write(self.path(f"file{number}"), b"one two\n")
        for number in range(4):  # fewer than there are workers, so that the others finish
            sparse(self.path(f"endless{number}"), 1 << 42)
        running = subprocess.Popen([EXE, self.tree, "50"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        time.sleep(1.5)
        running.send_signal(signal.SIGINT)
        started = time.monotonic()
        output, errors = running.communicate(timeout=60)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(running.returncode, 130, errors)
        self.assertEqual((totals(output), files_in(output)), ((50, 100, 400), 50), output)
        self.assertIn(b"interrupted", output)
        self.assertEqual(errors, b"")

    def test_progress_bar_on_a_terminal_only(self):
        for number in range(3):
            write(self.path(f"file{number}"), b"one two\n")
        sparse(self.path("endless"), 1 << 42)
        self.assertNotIn(b"\r", linecount(self.tree, "0.2").stderr)
        ours, theirs = pty.openpty()
        started = time.monotonic()
        done = subprocess.run([EXE, self.tree, "1"], stdout=subprocess.PIPE, stderr=theirs, env=ENVIRONMENT, timeout=60)
        lasted = time.monotonic() - started
        os.close(theirs)
        screen = b""
        try:
            while piece := os.read(ours, 65536):
                screen += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        updates = screen.count(b"\r[")
        self.assertGreater(updates, 3, screen)
        self.assertLessEqual(updates, lasted * 10 + 1, screen)
        self.assertIn(b"/4", screen)
        self.assertEqual((totals(done.stdout), done.returncode), ((3, 6, 24), 1))

    def test_missing_directory(self):
        done = linecount(self.path("missing"))
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertRegex(done.stderr, rb"\Alinecount: .*missing: No such file or directory\n\Z")

    def test_what_is_not_a_directory(self):
        write(self.path("file"), b"x\n")
        os.symlink(".", self.path("link"))
        for name in ("file", "link"):
            done = linecount(self.path(name))
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"Not a directory", done.stderr)

    def test_wrong_usage(self):
        for arguments in ((), (self.tree, "soon"), (self.tree, "1", "2")):
            done = linecount(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertTrue(done.stderr.startswith(b"usage: "), done)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    EXE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
