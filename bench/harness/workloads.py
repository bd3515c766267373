"""The workloads: what is measured, in which figure, and how much of it."""
from dataclasses import dataclass

MICRO = {"ns": 1e9, "µs": 1e6}


@dataclass(frozen=True)
class Form:
    """One way to do a workload: a row of the table."""

    workload: str  # the folder of its programs
    name: str  # the programs' first argument
    title: str
    operation: str  # "ns per <operation>"
    figure: str = "cpu"  # cpu (of all its threads), wall or bytes: what ranks it
    unit: str = "ns"
    size: int = 0  # how many operations; 0: as many as take the time that is wanted
    slow_size: int = 0  # how many for the peers that are in SLOW
    quick_size: int = 0  # how many when in a hurry
    base: int = 1000  # a size that is quick for all and of which every size is a multiple

    @property
    def key(self):
        return f"{self.workload}/{self.name}"

    def value(self, figures):
        """What one operation costs, in the form's unit."""
        if self.figure == "bytes":
            return figures["bytes"] / figures["operations"]
        return figures[self.figure] * MICRO[self.unit] / figures["operations"]

    @property
    def unit_text(self):
        return f"bytes per {self.operation}" if self.figure == "bytes" else f"{self.unit} per {self.operation}"


# Those whose run of a fixed size would take many seconds do a part of it; the cost of one is the same or less then.
SLOW = ("python", "uvloop", "node", "go")

FORMS = [
    Form("spawn_join", "group", "spawn + join, TaskGroup", "task"),
    Form("spawn_join", "gather", "spawn + join, gather", "task"),
    Form("yield", "one", "yield, 1 task and a timer", "switch"),
    Form("yield", "many", "yield, 1,000 tasks", "switch", base=10_000),
    Form("await", "child", "await of a child", "await", base=10_000),
    Form("await", "deep", "await, 1,000 deep", "await", base=10_000),
    Form("call_soon", "repeat", "call_soon", "callback", base=10_000),
    Form("timers", "sleepers", "1,000,000 sleepers", "sleeper", size=1_000_000, slow_size=200_000,
         quick_size=100_000),
    Form("timeout", "block", "timeout around a yield", "block"),
    Form("queue", "size_1", "queue for 1 item", "item"),
    Form("queue", "size_1024", "queue for 1,024 items", "item"),
    Form("lock", "hand_over", "lock, 100 in line", "turn"),
    Form("cancel", "begun", "cancel 100,000 sleepers", "task", size=100_000, slow_size=100_000, quick_size=20_000),
    Form("cancel", "handled", "the same, each cleans up", "task", size=100_000, slow_size=100_000, quick_size=20_000),
    Form("cancel", "not_begun", "cancel 100,000 not begun", "task", size=100_000, slow_size=100_000,
         quick_size=20_000),
    Form("threads", "round_trip", "submit from a thread + wait", "round trip", "wall", "µs", base=100),
    Form("threads", "post", "post from a thread", "post", "wall"),
    Form("startup", "run", "run() from begin to end", "run", unit="µs", base=10),
    Form("memory", "sleep", "a task that sleeps", "task", "bytes", size=200_000, slow_size=100_000,
         quick_size=50_000),
    Form("memory", "event", "a task that waits", "task", "bytes", size=200_000, slow_size=100_000,
         quick_size=50_000),
]

# The server's CPU time is what ranks: the client is as busy as it, and a wake-up between cores costs more than either.
FORMS += [
    Form("echo", "streams_1x64_one_core", "echo 64 B, 1 connection", "round trip", unit="µs", base=100),
    Form("echo", "streams_64x64", "echo 64 B, 64 connections", "round trip", unit="µs"),
    Form("echo", "streams_1000x64", "echo 64 B, 1,000 connections", "round trip", unit="µs"),
    Form("echo", "streams_1x16384_one_core", "echo 16 KiB, 1 connection", "round trip", unit="µs", base=100),
    Form("echo", "streams_64x16384", "echo 16 KiB, 64 connections", "round trip", unit="µs"),
    Form("echo", "streams_1000x16384", "echo 16 KiB, 1,000 connections", "round trip", unit="µs"),
    Form("echo", "protocol_1x64_one_core", "Protocol, 64 B, 1 connection", "round trip", unit="µs", base=100),
    Form("echo", "protocol_64x64", "Protocol, 64 B, 64 conn.", "round trip", unit="µs"),
    Form("echo", "protocol_1000x64", "Protocol, 64 B, 1,000 conn.", "round trip", unit="µs"),
    Form("echo", "protocol_1x16384_one_core", "Protocol, 16 KiB, 1 connection", "round trip", unit="µs", base=100),
    Form("echo", "protocol_64x16384", "Protocol, 16 KiB, 64 conn.", "round trip", unit="µs"),
    Form("echo", "protocol_1000x16384", "Protocol, 16 KiB, 1,000 conn.", "round trip", unit="µs"),
    Form("echo", "buffered_1x64_one_core", "BufferedProtocol, 64 B, 1 conn.", "round trip", unit="µs", base=100),
    Form("echo", "buffered_64x64", "BufferedProtocol, 64 B, 64 conn.", "round trip", unit="µs"),
    Form("echo", "buffered_1000x64", "BufferedProtocol, 64 B, 1,000 conn.", "round trip", unit="µs"),
    Form("echo", "buffered_1x16384_one_core", "BufferedProtocol, 16 KiB, 1 conn.", "round trip", unit="µs", base=100),
    Form("echo", "buffered_64x16384", "BufferedProtocol, 16 KiB, 64 conn.", "round trip", unit="µs"),
    Form("echo", "buffered_1000x16384", "BufferedProtocol, 16 KiB, 1,000 conn.", "round trip", unit="µs"),
    Form("echo", "sockets_1x64_one_core", "sock_*, 64 B, 1 connection", "round trip", unit="µs", base=100),
    Form("echo", "sockets_64x64", "sock_*, 64 B, 64 connections", "round trip", unit="µs"),
    Form("echo", "sockets_1000x16384", "sock_*, 16 KiB, 1,000 conn.", "round trip", unit="µs"),
    Form("echo", "streams_10000x64", "an idle connection of 10,000", "connection", "bytes", size=10_000,
         slow_size=10_000, quick_size=10_000, base=10_000),
    Form("echo", "protocol_10000x64", "an idle connection by Protocol", "connection", "bytes", size=10_000,
         slow_size=10_000, quick_size=10_000, base=10_000),
    Form("udp", "echo_1x64_one_core", "UDP echo 64 B, 1 socket", "round trip", unit="µs", base=100),
    Form("udp", "echo_64x64", "UDP echo 64 B, 64 sockets", "round trip", unit="µs"),
    Form("udp", "echo_64x1200", "UDP echo 1,200 B, 64 sockets", "round trip", unit="µs"),
    Form("udp", "sink_1x64_one_core", "UDP one way, 64 B", "datagram", unit="µs", base=6400),
    Form("udp", "sink_1x1200_one_core", "UDP one way, 1,200 B", "datagram", unit="µs", base=6400),
    Form("udp", "batch_sink_1x1200_one_core", "UDP one way, 1,200 B, in batches", "datagram", unit="µs", base=6400),
    Form("tls", "handshake", "TLS: a handshake", "handshake", unit="µs", base=20),
    Form("tls", "resumed", "TLS: a handshake, resumed", "handshake", unit="µs", base=20),
    Form("tls", "download", "TLS: bytes sent", "MiB", unit="µs", base=16),
    Form("tls", "upload", "TLS: bytes received", "MiB", unit="µs", base=16),
    Form("tls", "echo_1000", "TLS: echo 64 B, 1,000 connections", "round trip", unit="µs", size=20_000,
         slow_size=20_000, quick_size=5_000),
    Form("tls", "echo_1000_idle", "TLS: an idle connection of 1,000", "connection", "bytes", size=1000, slow_size=1000,
         quick_size=1000, base=1000),
    Form("children", "one", "a child, one after the other", "child", unit="µs", base=20),
    Form("children", "large", "the same from 4 GiB", "child", unit="µs", size=60, slow_size=60, quick_size=60,
         base=20),
    Form("children", "many", "a child, 64 at once", "child", unit="µs", base=64),
    Form("children", "bytes", "1 GiB through a child", "MiB", unit="µs", size=1024, slow_size=1024, quick_size=256,
         base=1),
    Form("pipe", "copy", "a pipe, 1 GiB", "MiB", unit="µs", size=1024, slow_size=1024, quick_size=256, base=1),
]
