"""The peers: how each is built, what version it is, or why it is missing."""
import os
import re
import shutil
import subprocess
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
BUILD = BENCH.parent / "build" / "bench" / "bench"
BUILD_BY_CLANG = BENCH.parent / "build" / "bench-clang" / "bench"
CRATES = Path("/usr/share/cargo/registry")


def output_of(*command, **options):
    """What a command prints, or None if it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, **options)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def first(*candidates):
    return next((found for found in map(shutil.which, candidates) if found), None)


class Peer:
    """One whose programs are run beside ours. `missing` says why it cannot be."""

    name = title = ""
    suffix = ".cpp"
    environment = {}
    missing = None
    folder = BUILD

    def source(self, workload):
        return BENCH / "workloads" / workload / (self.name + self.suffix)

    def has(self, workload):
        return not self.missing and self.source(workload).exists()

    def command(self, workload):
        return [str(self.folder / self.name / workload)]

    def version(self):
        return ""

    def build(self):
        """Builds its programs unless CMake has, and finds out whether it is missing."""


class Compiled(Peer):
    """What CMake has built, if it found the library."""

    def __init__(self, name, title, version, package, folder=BUILD):
        self.name, self.title, self.version, self.package, self.folder = name, title, version, package, folder

    def has(self, workload):
        return super().has(workload) and (self.folder / self.name / workload).exists()

    def build(self):
        if not (self.folder / self.name).is_dir():
            self.missing = f"{self.package} is not installed"


class Go(Peer):
    name, title, suffix = "go", "Go", ".go"

    def version(self):
        return re.search(r"go(\S+)", output_of("go", "version")).group(1)

    def build(self):
        if not shutil.which("go"):
            self.missing = "golang-go is not installed"
            return
        for source in sorted(BENCH.glob("workloads/*/go.go")):
            target = BUILD / self.name / source.parent.name
            # Named as a file: the package's folder has C++ in it.
            done = subprocess.run(["go", "build", "-o", str(target), f"./{source.relative_to(BENCH)}"], cwd=BENCH,
                                  capture_output=True, text=True)
            if done.returncode:
                self.missing = f"{source.parent.name} does not build: {done.stderr.strip()}"


class Python(Peer):
    name, title, suffix = "python", "CPython asyncio", ".py"
    interpreter = os.environ.get("BENCH_PYTHON") or first("/usr/bin/python3", "python3")
    environment = {"PYTHONPATH": str(BENCH / "support")}

    def source(self, workload):
        return BENCH / "workloads" / workload / "python.py"

    def command(self, workload):
        return [self.interpreter, str(self.source(workload))]

    def version(self):
        return output_of(self.interpreter, "-c", "import platform; print(platform.python_version())")

    def build(self):
        if output_of(self.interpreter, "-c", "import asyncio; asyncio.TaskGroup") is None:
            self.missing = f"{self.interpreter} is older than 3.11"


class Uvloop(Python):
    name, title = "uvloop", "uvloop"
    environment = {**Python.environment, "BENCH_UVLOOP": "1"}

    def version(self):
        return output_of(self.interpreter, "-c", "import uvloop; print(uvloop.__version__)")

    def build(self):
        if self.version() is None:
            self.missing = f"python3-uvloop is not installed for {self.interpreter}"


class Node(Peer):
    name, title, suffix = "node", "Node.js", ".js"
    program = first("node", "nodejs")

    def command(self, workload):
        return [self.program, str(self.source(workload))]

    def version(self):
        return output_of(self.program, "--version").lstrip("v")

    def build(self):
        if not self.program:
            self.missing = "nodejs is not installed"


class Tokio(Peer):
    name, title, suffix = "tokio", "Tokio", ".rs"
    target = BUILD.parent / "cargo"

    def command(self, workload):
        return [str(self.target / "release" / workload)]

    def version(self):
        lock = (BENCH / "Cargo.lock").read_text()
        return re.search(r'name = "tokio"\nversion = "(.*)"', lock).group(1)

    def build(self):
        if not list(CRATES.glob("tokio-1*")):
            self.missing = "librust-tokio-dev is not installed"
            return
        if not list(CRATES.glob("tokio-rustls-0.23*")):
            self.missing = "librust-tokio-rustls-dev is not installed"
            return
        cargo, rustc = first("/usr/bin/cargo"), first("/usr/bin/rustc")  # Debian's: what its crates are for
        if not cargo or not rustc:
            self.missing = "Debian's cargo is not installed"
            return
        done = subprocess.run(
            [cargo, "build", "--release", "--offline", "--quiet", "--target-dir", str(self.target),
             "--config", 'source.crates-io.replace-with="debian"',
             "--config", f'source.debian.directory="{CRATES}"'],
            cwd=BENCH, env={**os.environ, "RUSTC": rustc}, capture_output=True, text=True)
        if done.returncode:
            self.missing = f"does not build: {done.stderr.strip()[-500:]}"


class Tool(Peer):
    """A program of the system that does one workload."""

    def __init__(self, name, workload):
        self.name = self.title = name
        self.workload = workload

    def has(self, workload):
        return not self.missing and workload == self.workload

    def command(self, workload):
        return [self.name]

    def version(self):
        return re.search(r"[\d.]+", output_of(self.name, "--version")).group()

    def build(self):
        if not shutil.which(self.name):
            self.missing = f"{self.name} is not installed"


def our_version():
    return output_of("git", "describe", "--always", "--dirty", cwd=BENCH) or ""


def boost_version():
    header = Path("/usr/include/boost/version.hpp").read_text()
    return re.search(r'BOOST_LIB_VERSION "(.*)"', header).group(1).replace("_", ".")


def libuv_version():
    return output_of("pkg-config", "--modversion", "libuv")


PEERS = [
    Compiled("ours", "asyncio for C++", our_version, "it"),
    Compiled("asio", "Boost.Asio", boost_version, "libboost1.81-dev"),
    Compiled("libuv", "libuv", libuv_version, "libuv1-dev"),
    Tokio(),
    Go(),
    Node(),
    Uvloop(),
    Python(),
    Tool("cat", "pipe"),
    Tool("pv", "pipe"),
    Compiled("epoll", "plain epoll", lambda: "the limit", "it"),
]


def build(names):
    """Builds the peers of these names, ours always, and returns all of them."""
    chosen = [peer for peer in PEERS if not names or peer.name in names or peer.name == "ours"]
    for peer in chosen:
        peer.build()
    return chosen
