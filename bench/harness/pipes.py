"""The pipe workload: each peer's program copies its standard input to its standard output."""
import os
import subprocess

from . import echo, measure, peers

CLIENT = peers.BUILD / "client" / "pipe_ends"


def run(peer, form, size, timeout=120):
    program_core, client_core = echo.cores()
    command = [str(CLIENT), str(size), *echo.pinned(program_core, peer.command("pipe"))]
    done = subprocess.run(echo.pinned(client_core, command), capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **peer.environment})
    if done.returncode:
        raise RuntimeError(f"{peer.name} {form.key}: {done.stderr[-2000:]}")
    return measure.parse(done.stdout)
