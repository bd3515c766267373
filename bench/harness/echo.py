"""The echo workloads: a server of each peer under the load of one client, which measures what the server costs."""
import os
import re
import resource
import subprocess

from . import measure, peers

CLIENT = peers.BUILD / "client" / "echo_client"
SHAPE = re.compile(r"(streams|sockets)_(\d+)x(\d+)(_one_core)?")
SPARE_FILES = 100


def cores():
    """One for the server and one for the client, if there are two."""
    there = sorted(os.sched_getaffinity(0))
    return there[0], there[-1]


def pinned(core, command):
    return ["taskset", "-c", str(core), *command]


def allow_connections():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most - SPARE_FILES


def run(peer, form, size, timeout=120):
    """One run: the server is started, loaded with `size` round trips, and ended. Size 0: it only holds connections."""
    way, connections, length, one_core = SHAPE.fullmatch(form.name).groups()
    server_core, client_core = cores()
    if one_core:
        client_core = server_core
    connections = min(int(connections), allow_connections())
    if form.figure == "bytes":
        size = 0
    server = subprocess.Popen(pinned(server_core, [*peer.command("echo"), way]), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env={**os.environ, **peer.environment})
    try:
        port = re.fullmatch(r"port=(\d+)\n", server.stdout.readline())
        if not port:
            server.kill()
            raise RuntimeError(f"{peer.name} {form.key}: the server does not begin\n{server.stderr.read()[-2000:]}")
        client = pinned(client_core, [str(CLIENT), port.group(1), str(server.pid), str(connections), length, str(size)])
        done = subprocess.run(client, capture_output=True, text=True, timeout=timeout)
        if done.returncode:
            server.kill()
            raise RuntimeError(f"{peer.name} {form.key}: {done.stderr}\nserver: {server.stderr.read()[-2000:]}")
        return measure.parse(done.stdout)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
        server.stderr.close()
