"""The UDP workloads: a server of each peer under the load of one client, which measures what the server costs."""
import re

from . import echo, peers

CLIENT = peers.BUILD / "client" / "udp_client"
SHAPE = re.compile(r"(echo|sink|batch_sink)_(\d+)x(\d+)(_one_core)?")


def run(peer, form, size, timeout=120):
    way, sockets, length, one_core = SHAPE.fullmatch(form.name).groups()
    server_core, client_core = echo.cores()
    with echo.Server(peer, "udp", way, server_core) as server:
        command = [str(CLIENT), way, server.port, str(server.pid), sockets, length, str(size)]
        return server.measured(echo.pinned(server_core if one_core else client_core, command), form, timeout)
