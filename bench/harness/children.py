"""The workload of child processes: parent and children share a core, so that what is waited for is all work."""
import os
import subprocess

from . import echo, measure


def run(peer, form, size, timeout=120):
    core, _ = echo.cores()
    command = [*peer.command("children"), form.name, str(size)]
    if form.name != "bytes":
        command = echo.pinned(core, command)
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **peer.environment})
    if done.returncode == 2 and "usage: " in done.stderr:
        raise measure.NoSuchForm
    if done.returncode:
        raise RuntimeError(f"{peer.name} {form.key}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return measure.parse(done.stdout)
