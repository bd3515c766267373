#!/usr/bin/env python3
"""Shows, after all else, why tests failed: of each the lines around what was wrong, not the thousand of what was right.

ctest prints the whole output of a test that fails where it ran, hundreds of tests above the end of a log; where logs are
cut in their middle, that is what is cut.  Reads the folder Testing/Temporary of a build; ctest leaves it there.
"""

import argparse
import pathlib
import re
import sys
import tempfile

WRONG = re.compile(r"\bFailure\b|\bFAILED\b|\bFAIL:|[Ee]rror\b|ERROR|terminate called|Sanitizer|Traceback \(most|"
                   r"Assertion|unknown file|\*\*\*|Segmentation|Aborted|Timeout|timed out")
RIGHT = re.compile(r"\[ +(OK|RUN|-+) +\]|\[-+\]|\[=+\]")


def failed_tests(log: pathlib.Path) -> dict[str, list[str]]:
    """What each test printed that failed, by LastTest.log, which every run of ctest writes anew."""
    failed: dict[str, list[str]] = {}
    name = ""
    lines: list[str] = []
    is_output = False
    for line in log.read_text(errors="replace").splitlines():
        begin = re.fullmatch(r"\d+/\d+ Testing: (.*)", line)
        if begin:
            name, lines = begin[1], []
        elif line in ("Output:", "<end of output>"):
            is_output = line == "Output:"
        elif is_output:
            lines.append(line)
        elif line in ("Test Failed.", "Test Fail Reason:"):
            failed[name] = lines
        elif line.startswith("Unable to find executable"):
            failed[line] = []
    return failed


def essence(lines: list[str], most: int) -> list[str]:
    """The lines that say what is wrong, with what stands around them; the last ones if none says so."""
    chosen: set[int] = set()
    for index, line in enumerate(lines):
        if WRONG.search(line) and not RIGHT.search(line):
            chosen.update(range(max(0, index - 3), min(len(lines), index + 25)))
    kept = [line for index, line in enumerate(lines) if index in chosen and not RIGHT.search(line)] or lines[-20:]
    if len(kept) > most:
        kept = kept[:most] + [f"... {len(kept) - most} lines more; all of it is in LastTest.log"]
    return kept


SAMPLE = """Start testing: Nov 30 13:58 UTC
----------------------------------------------------------
1/3 Testing: unit/wrong
1/3 Test: unit/wrong
Command: "test_core" "-Werror"
Output:
----------------------------------------------------------
[       OK ] Core.First (1 ms)
{right}x.cpp:3: Failure
Expected equality
{right}<end of output>
Test Failed.
2/3 Testing: unit/right
Output:
an error that was expected
<end of output>
Test Passed.
Unable to find executable: /gone
3/3 Testing: unit/printed
Output:
{right}the last words
<end of output>
Test Fail Reason:
Error regular expression found in output.
End testing: Nov 30 13:58 UTC
"""


def self_test() -> int:
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "LastTest.log"
        log.write_text(SAMPLE.replace("{right}", "[       OK ] Core.More (1 ms)\n" * 50))
        failed = failed_tests(log)
    assert list(failed) == ["unit/wrong", "Unable to find executable: /gone", "unit/printed"], list(failed)
    assert essence(failed["unit/wrong"], 60) == ["x.cpp:3: Failure", "Expected equality"], failed["unit/wrong"]
    assert essence(failed["unit/wrong"], 1)[1].startswith("... 1 lines more")
    assert essence(failed["unit/printed"], 60)[-1] == "the last words"
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?", help="Testing/Temporary of a build")
    parser.add_argument("--lines", type=int, default=40, help="at most so many of each test")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    if options.folder is None:
        parser.error("which folder?")
    log = options.folder / "LastTest.log"
    if not log.exists():
        sys.exit(f"{options.folder}: no LastTest.log; did ctest run there?")
    for name, lines in failed_tests(log).items():
        print(f"\n==== {name} failed:")
        for line in essence(lines, options.lines):
            print(line[:300])
    return 0


if __name__ == "__main__":
    sys.exit(main())
