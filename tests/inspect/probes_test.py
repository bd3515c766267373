#!/usr/bin/env python3
"""The static probes: each is there, in order, with its arguments, and found by gdb."""
import re
import subprocess
import unittest

from support import PROGRAMS, main

PROBES = {"task__begin": 2, "task__end": 1, "step__begin": 1, "step__end": 1, "poll__begin": 2, "poll__end": 2}


def gdb(program, *arguments, commands):
    words = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", "set confirm off", *words, "--args", program, *map(str, arguments)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.stdout


def stop_at(probe, *, begin=False):
    """Runs to the next passage of the probe, and prints its name and its arguments."""
    arguments = ", ".join(f"(unsigned long)$_probe_arg{i}" for i in range(PROBES[probe]))
    line = " ".join(["%lu"] * PROBES[probe])
    return [f"tbreak -probe-stap asyncio:{probe}", "run" if begin else "continue", f'printf "AT {probe} {line}\\n", {arguments}']


class Probes(unittest.TestCase):
    def test_all_are_there(self):
        for program in PROGRAMS:
            with self.subTest(program):
                text = gdb(program, commands=["info probes stap asyncio"])
                self.assertEqual(set(re.findall(r"(?m)asyncio +(\w+) +0x", text)), set(PROBES), text)

    def test_the_life_of_a_task(self):
        for program in PROGRAMS:
            with self.subTest(program):
                text = gdb(program, "churn", 1, commands=[
                    *stop_at("task__begin", begin=True), 'printf "OF %s\\n", *(char**)($_probe_arg1 + 8)',  # the main task
                    *stop_at("step__begin"), *stop_at("task__begin"), 'printf "OF %s\\n", *(char**)($_probe_arg1 + 8)',
                    *stop_at("step__end"), *stop_at("step__begin"), *stop_at("poll__begin"), *stop_at("poll__end"),
                    *stop_at("task__end"), "kill"])
                seen = re.findall(r"(?m)^AT (\w+) (.*)$", text)
                self.assertEqual([name for name, _ in seen], ["task__begin", "step__begin", "task__begin", "step__end",
                                                              "step__begin", "poll__begin", "poll__end", "task__end"], text)
                first, begins, second, ends, other = (int(line.split()[0]) for _, line in seen[:5])
                self.assertEqual([begins, ends], [first, first])
                self.assertEqual(other, second)
                self.assertEqual(seen[5][1].split()[0], seen[6][1].split()[0])  # the loop
                self.assertRegex(text, r"(?m)^OF .*\bchurn\(")
                self.assertRegex(text, r"(?m)^OF .*\bouter\(")


if __name__ == "__main__":
    main()
