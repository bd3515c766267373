#!/usr/bin/env python3
"""A lesson that is interrupted by Ctrl-C ends in order, whenever that is.    interrupt.py EXE"""
import os
import pty
import signal
import subprocess
import sys
import time

for milliseconds in range(0, 60, 5):
    terminal, output = pty.openpty()  # so that what is printed comes at once
    program = subprocess.Popen(sys.argv[1:], stdout=output, stderr=subprocess.PIPE)
    os.read(terminal, 1)  # it has begun
    time.sleep(milliseconds / 1000)
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    os.close(terminal)
    os.close(output)
    # -2: it was through, and not interested any more.
    assert program.returncode in (0, 130, -signal.SIGINT), (milliseconds, program.returncode, errors.decode())
