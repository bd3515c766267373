#!/usr/bin/env python3
"""A lesson that is interrupted by Ctrl-C ends in order, whenever that is.    interrupt.py EXE"""
import signal
import subprocess
import sys
import time

for milliseconds in range(0, 80, 10):
    program = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    program.stdout.readline()  # it has begun, or ended
    time.sleep(milliseconds / 1000)
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    # -2: it came before the program was ready for it, or when it was through.
    assert program.returncode in (0, 130, -signal.SIGINT), (milliseconds, program.returncode, errors.decode())
