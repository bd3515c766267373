"""Shows a program of the conformance language: both traces, and what it is as Python and as C++ source."""
import difflib
import json

import print_cpp
import print_python


def report(program, expected, found):
    diff = difflib.unified_diff(expected.splitlines(), found.splitlines(), "CPython", "this library", lineterm="", n=30)
    return "\n".join([json.dumps(program), *diff, "", "---- as Python", print_python.source(program), "---- as C++",
                      print_cpp.source(program)])
