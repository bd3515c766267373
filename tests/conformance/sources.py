"""Prints a program as Python and as C++ source."""
import difflib
import json


def report(program, expected, found):
    diff = "\n".join(difflib.unified_diff(expected.splitlines(), found.splitlines(), "CPython", "this library", lineterm="", n=30))
    return f"{json.dumps(program)}\n{diff}\n"
