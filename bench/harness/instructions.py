"""The guard: instructions per operation of our core workloads, counted by callgrind, against those recorded.

Two sizes are counted and subtracted, so that what start-up costs does not show. Both compilers are guarded, since what is
good for one may be bad for the other.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from . import idle, measure, peers

RECORD = peers.BENCH / "instructions.json"
BESIDE = peers.BENCH / "instructions_of_peers.json"
NATIVE = ("ours", "asio", "libuv", "tokio")  # callgrind can follow these
GROWTH_ALLOWED = 0.03

# workload, form, smaller size, larger size
COUNTED = [
    ("spawn_join", "group", 2000, 12_000),
    ("spawn_join", "gather", 2000, 12_000),
    ("yield", "one", 1000, 31_000),
    ("yield", "many", 10_000, 60_000),
    ("yield", "watched", 1000, 31_000),  # an instrument looks on
    ("await", "child", 1000, 51_000),
    ("await", "deep", 5000, 55_000),
    ("call_soon", "repeat", 2000, 32_000),
    ("timers", "sleepers", 2000, 8000),
    ("timeout", "block", 1000, 11_000),
    ("queue", "size_1", 1000, 21_000),
    ("queue", "size_1024", 2048, 32_768),
    ("lock", "hand_over", 1000, 21_000),
    ("cancel", "begun", 1000, 3000),
    ("cancel", "handled", 1000, 3000),
    ("cancel", "not_begun", 1000, 6000),
    ("startup", "run", 20, 120),
    ("transports", "streams", 1000, 11_000),
    ("transports", "protocol", 1000, 11_000),
    ("transports", "buffered", 1000, 11_000),
    ("transports", "udp", 1000, 11_000),
]

# What debug mode may cost: so many times the instructions. What makes, resumes and ends tasks and callbacks is what it looks at.
DEBUG_ALLOWED = 2.0
DEBUG_COUNTED = ("spawn_join/group", "spawn_join/gather", "yield/one", "yield/many", "await/child", "call_soon/repeat",
                 "queue/size_1", "startup/run")
DEBUG_ALLOWED_OF = {"spawn_join/group": 2.03}  # it is at 2.00

OURS = peers.PEERS[0]
BY_CLANG = peers.Compiled("ours", OURS.title, OURS.version, OURS.package, peers.BUILD_BY_CLANG)
# By clang only what is all ours: transports are the kernel's and the same code.
GUARDED = {"g++": (OURS, COUNTED), "clang++-19": (BY_CLANG, [item for item in COUNTED if item[0] != "transports"])}


def version_of(compiler="g++"):
    """Null if it is not there."""
    text = peers.output_of(compiler, "--version")
    return text and text.splitlines()[0]


def count(program, form, size, with_looks=False, environment={}):
    """The instructions of one run, without our loop's looks at the clock and the descriptors: they come by the time.

    `with_looks` is for a comparison with others, who look as well. Addresses are the same in each run, for they decide
    what collides in caches' keys. So is the environment, which a loop searches for its settings when it is made.
    """
    with tempfile.TemporaryDirectory() as folder:  # and not /dev/null, in whose place root would get a plain file
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", str(program), form, str(size)]
        if peers.output_of("setarch", "-R", "true") is not None:
            command[:0] = ["setarch", "-R"]
        done = subprocess.run(command, capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C", **environment})
        annotate = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", f"{folder}/out"]
        profile = subprocess.run(annotate, capture_output=True, text=True).stdout
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode == 2 and "usage" in done.stderr:
        raise measure.NoSuchForm
    if done.returncode or not collected:
        raise RuntimeError(f"{program} {form} {size} under callgrind: {done.stderr[-1000:]}")
    looks = re.search(r"^ *([\d,]+) .*:asyncio::detail::LoopCore::look_outside\(bool\)", profile, re.MULTILINE)
    not_counted = int(looks.group(1).replace(",", "")) if looks and not with_looks else 0
    return int(collected.group(1)) - not_counted


def per_operation(program, form, small, large, with_looks, environment={}):
    more = count(program, form, large, with_looks, environment) - count(program, form, small, with_looks, environment)
    return more / (large - small)


def count_all(forms, peer=OURS, with_looks=False, environment={}):
    """Of each form that the peer has."""
    def one(item):
        workload, form, small, large = item
        [program] = peer.command(workload)
        try:
            return f"{workload}/{form}", per_operation(program, form, small, large, with_looks, environment)
        except measure.NoSuchForm:
            return f"{workload}/{form}", None

    forms = [item for item in forms if peer.has(item[0])]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(pool.map(one, forms))


def record():
    """Writes what is counted now, by each compiler that is there."""
    recorded = json.loads(RECORD.read_text())
    for compiler, (ours, forms) in GUARDED.items():
        if version_of(compiler) is None:
            continue
        counts = count_all(forms, ours)
        recorded[compiler] = {"version": version_of(compiler),
                              "instructions per operation": {key: round(n, 1) for key, n in counts.items()}}
        print(version_of(compiler))
        for key, instructions in counts.items():
            print(f"{key:<24} {instructions:10.1f}")
    recorded["g++"][idle.WHAT] = {key: round(size) for key, size in idle.measured().items()}
    print(idle.WHAT, recorded["g++"][idle.WHAT])
    RECORD.write_text(json.dumps(recorded, indent=4) + "\n")
    print(f"written: {RECORD}")
    return 0


def beside(everybody):
    """Counts ours and the peers', prints them and keeps them for the docs."""
    there = [peer for peer in everybody if peer.name in NATIVE and not peer.missing]
    counts = {peer.name: count_all(COUNTED, peer, with_looks=True) for peer in there}
    content = {"compiler": version_of(), "peers": {peer.name: peer.title for peer in there}, "instructions": counts}
    BESIDE.write_text(json.dumps(content, indent=1) + "\n")
    print(markdown(content))
    print(f"\nwritten: {BESIDE}")
    return 0


def markdown(content):
    names = list(content["peers"])
    lines = ["| workload | " + " | ".join(content["peers"].values()) + " |", "|---|" + "--:|" * len(names)]
    for key in content["instructions"]["ours"]:
        cells = [content["instructions"][name].get(key) for name in names]
        lines.append(f"| {key} | " + " | ".join("–" if cell is None else f"{cell:,.0f}" for cell in cells) + " |")
    return "\n".join(lines)


def recorded_markdown():
    """What the guard compares with, by compiler."""
    recorded = json.loads(RECORD.read_text())
    columns = [entry["instructions per operation"] for entry in recorded.values()]
    lines = ["| workload | " + " | ".join(entry["version"] for entry in recorded.values()) + " |",
             "|---|" + "--:|" * len(columns)]
    for key in columns[0]:
        cells = [f"{column[key]:,.0f}" if key in column else "–" for column in columns]
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def check():
    """0 if nothing has grown by more than is allowed; also if it cannot be compared."""
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        return 0
    recorded = json.loads(RECORD.read_text())
    failed = max(check_one(compiler, recorded[compiler]) for compiler in GUARDED)
    return max(failed, idle.check(recorded["g++"].get(idle.WHAT, {})))


def check_one(compiler, recorded):
    version = version_of(compiler)
    if version != recorded["version"]:
        print(f"skipped: this is {version or f'no {compiler}'}, and what is recorded was built by {recorded['version']}")
        return 0
    before = recorded["instructions per operation"]
    ours, forms = GUARDED[compiler]
    now = count_all(forms, ours)
    print(f"{version}\n{'instructions per operation':<28}{'recorded':>10}{'now':>10}")
    for key, instructions in now.items():
        was = before.get(key)
        change = f"{100 * (instructions / was - 1):+7.1f} %" if was else "    new"
        print(f"{key:<28}{was or 0:10.1f}{instructions:10.1f}{change}{'   GROWN' if grown(before, now, key) else ''}")
    too_dear = check_debug_mode(ours, forms, now)
    failed = [key for key in now if grown(before, now, key)]
    if failed:
        print(f"\nMore than {100 * GROWTH_ALLOWED:.0f} % up: {', '.join(failed)}. "
              "If it is worth it, say so in the commit and record it: ./dev bench --record")
    elif any(key in before and now[key] < before[key] * (1 - GROWTH_ALLOWED) for key in now):
        print("\nSome are down: keep that with ./dev bench --record")
    return 1 if failed or too_dear else 0


def check_debug_mode(ours, forms, plain):
    """Prints what costs more in debug mode, and how many times as much; gives those that cost too much."""
    chosen = [item for item in forms if f"{item[0]}/{item[1]}" in DEBUG_COUNTED]
    counted = count_all(chosen, ours, environment={"ASYNCIO_DEBUG": "1"})
    print(f"{'in debug mode':<28}{'plain':>10}{'debug':>10}{'times':>10}")
    for key, instructions in counted.items():
        mark = "   TOO DEAR" if is_too_dear(key, plain[key], instructions) else ""
        print(f"{key:<28}{plain[key]:10.1f}{instructions:10.1f}{instructions / plain[key]:10.2f}{mark}")
    too_dear = [key for key, instructions in counted.items() if is_too_dear(key, plain[key], instructions)]
    if too_dear:
        print(f"\nMore than {DEBUG_ALLOWED:g} times as much in debug mode: {', '.join(too_dear)}.")
    return too_dear


def is_too_dear(key, plain, in_debug_mode):
    return in_debug_mode > plain * DEBUG_ALLOWED_OF.get(key, DEBUG_ALLOWED)


def grown(before, now, key):
    return key not in before or now[key] > before[key] * (1 + GROWTH_ALLOWED)
