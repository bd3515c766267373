"""The TLS workloads: a server of each peer, and what handshakes, bytes and idle connections cost it."""
import os
import re
import subprocess

from . import echo, peers

CLIENT = peers.BUILD / "client" / "tls_client"
FOLDER = peers.BUILD / "certificates"
SHAPE = re.compile(r"(handshake|resumed|download|upload|echo)(?:_(\d+))?(?:_idle)?")


def make_certificate():
    """For "localhost", by itself, as PEM and, for rustls, DER."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for command in (
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout key.pem -out cert.pem "
            "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
            "x509 -in cert.pem -outform DER -out cert.der",
            "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der"):
        subprocess.run(["openssl", *command.split()], cwd=FOLDER, check=True, capture_output=True)
    os.environ["BENCH_TLS"] = str(FOLDER)


def run(peer, form, size, timeout=120):
    if "BENCH_TLS" not in os.environ:
        make_certificate()
    load, connections = SHAPE.fullmatch(form.name).groups()
    server_core, client_core = echo.cores()
    way = load if load in ("download", "upload") else "echo"
    if form.figure == "bytes":
        size = 0
    with echo.Server(peer, "tls", way, server_core) as server:
        command = [str(CLIENT), server.port, str(server.pid), load, connections or "0", str(size)]
        return server.measured(echo.pinned(client_core, command), form, timeout)
