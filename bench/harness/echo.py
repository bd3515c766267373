"""The echo workloads: a server of each peer under the load of one client, which measures what the server costs."""
import os
import re
import resource
import subprocess

from . import measure, peers

CLIENT = peers.BUILD / "client" / "echo_client"
SHAPE = re.compile(r"(streams|sockets|protocol|buffered)_(\d+)x(\d+)(_one_core)?")
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


def check_time(figures):
    """A server has one core: what it is said to have run cannot be more than what went by."""
    if figures["cpu"] > figures["wall"] * 1.05 + 0.005:
        raise RuntimeError(f"{figures['cpu']} s of one core were run within {figures['wall']} s")


class Server:
    """A peer's server, which says where it listens, for as long as this is entered."""

    def __init__(self, peer, workload, way, core):
        self.name = peer.name
        command = pinned(core, [*peer.command(workload), way])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **peer.environment})

    def __enter__(self):
        port = re.fullmatch(r"port=(\d+)\n", self.process.stdout.readline())
        if not port:
            error = self.end()
            if "usage: " in error:
                raise measure.NoSuchForm
            raise RuntimeError(f"{self.name}: the server does not begin\n{error}")
        self.port, self.pid = port.group(1), self.process.pid
        return self

    def measured(self, client, form, timeout):
        """What the client says."""
        done = subprocess.run(client, capture_output=True, text=True, timeout=timeout)
        if done.returncode:
            raise RuntimeError(f"{self.name} {form.key}: {done.stderr}\nserver: {self.end()}")
        figures = measure.parse(done.stdout)
        check_time(figures)
        return figures

    def end(self):
        """The last that it said."""
        self.process.kill()
        return self.process.communicate()[1][-2000:]

    def __exit__(self, *_):
        self.end()


def run(peer, form, size, timeout=120):
    """One run: the server is started, loaded with `size` round trips, and ended. Size 0: it only holds connections."""
    way, connections, length, one_core = SHAPE.fullmatch(form.name).groups()
    server_core, client_core = cores()
    connections = min(int(connections), allow_connections())
    if form.figure == "bytes":
        size = 0
    with Server(peer, "echo", way, server_core) as server:
        command = [str(CLIENT), server.port, str(server.pid), str(connections), length, str(size)]
        return server.measured(pinned(server_core if one_core else client_core, command), form, timeout)
