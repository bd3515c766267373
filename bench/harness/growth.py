"""How cost grows with size: each program of bench/growth over sizes from 1 to 1,000,000, fitted.

Instructions tell growth: callgrind counts them exactly, up to COUNTED_UP_TO. Times go up to the million, but also grow
with what does not fit into caches, so they are only held against growth that is quadratic.
"""
import math
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import echo, instructions, measure, peers, report
from .workloads import Form

SIZES = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
COUNTED_UP_TO = 100_000
FITTED_FROM = 1000  # below, what is the same for any size shows
PROGRAMS = peers.BUILD / "growth"

# What the definition asks for: n log n, where a heap or a search is part of it. Everything else is to be linear.
LOGARITHMIC = {"timers/sleep", "timers/call_later", "timers/call_later_cancelled", "queues/PriorityQueue"}
SLACK = 1.25  # how much more one operation may cost at the largest size than its definition says
SLACK_OF_TIME = 20  # the same for times: caches


def forms_of(program):
    """What the program says that it can do."""
    usage = subprocess.run([program], capture_output=True, text=True).stderr.splitlines()
    return [line.strip() for line in usage[1:]]


def timed(program, form, size):
    done = subprocess.run([program, form, str(size)], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{program.name} {form} {size}: exit {done.returncode} {done.stderr[-500:]}")
    figures = measure.parse(done.stdout)
    if figures["check"] != size:
        raise RuntimeError(f"{program.name} {form} {size}: {figures['check']} instead of {size}")
    return figures


def exponent(points):
    """The slope of log(cost) over log(size): 1 is linear, 2 quadratic."""
    logs = [(math.log(size), math.log(cost)) for size, cost in points if cost > 0]
    if len(logs) < 2:
        return float("nan")
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def definition(key, small, large):
    """How many times as much one operation of `large` may cost."""
    return math.log(large) / math.log(small) if key in LOGARITHMIC else 1.0


def study(item):
    program, form = item
    key = f"{program.name}/{form}"
    counted = [size for size in SIZES if size <= COUNTED_UP_TO]
    counts = {size: instructions.count(program, form, size) for size in counted}
    more = {size: counts[size] - counts[1] for size in counted if size >= FITTED_FROM}
    each = {size: cost / size for size, cost in more.items()}
    small, large = min(each), max(each)
    grew = each[large] / each[small] / definition(key, small, large)
    return {
        "key": key,
        "definition": "n log n" if key in LOGARITHMIC else "n",
        "exponent": exponent(list(more.items())),
        "instructions": each,
        "grew": grew,
        "faster than defined": grew > SLACK,
    }


def time_it(row, item):
    program, form = item
    row["ns"] = {}
    for size in SIZES:
        runs = 1 if size == SIZES[-1] else 3
        row["ns"][size] = min(timed(program, form, size)["cpu"] for _ in range(runs)) * 1e9 / size
    grew = row["ns"][SIZES[-1]] / row["ns"][FITTED_FROM] / definition(row["key"], FITTED_FROM, SIZES[-1])
    row["faster than defined"] = row["faster than defined"] or grew > SLACK_OF_TIME


CONNECTIONS = [10, 100, 1000, 10_000]
ROUND_TRIPS = 20_000


def connections(ours):
    """What a round trip costs our server with so many connections. The kernel is nearly all of it, so time has to tell."""
    row = {"key": "echo/connections", "definition": "n", "ns": {}}
    for width in CONNECTIONS:
        form = Form("echo", f"streams_{width}x64", "", "round trip")
        each = [form.value(echo.run(ours, form, ROUND_TRIPS)) for _ in range(3)]
        row["ns"][width] = min(each)
        print(f"{row['key']:<28}{width:>8,} connections: {report.number(min(each))} ns of CPU a round trip", flush=True)
    row["faster than defined"] = row["ns"][CONNECTIONS[-1]] > SLACK_OF_TIME * row["ns"][CONNECTIONS[0]]
    return row


def line(row):
    counts = "".join(f"{report.number(row['instructions'][size]):>8}" for size in sorted(row["instructions"]))
    times = "".join(f"{report.number(row['ns'][size]):>8}" for size in SIZES if size >= FITTED_FROM)
    verdict = "GROWS FASTER" if row["faster than defined"] else ""
    return f"{row['key']:<28}{row['definition']:<8}{row['exponent']:5.2f} {counts}  |{times}  {verdict}"


def run(chosen=()):
    items = [(program, form) for program in sorted(PROGRAMS.iterdir()) for form in forms_of(program)
             if not chosen or program.name in chosen or f"{program.name}/{form}" in chosen]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(study, items))
    sizes = "".join(f"{label:>8}" for label in ("1e3", "1e4", "1e5"))
    print(f"{'':<28}{'defined':<8} fit  {'instructions each':^24}  |{'ns of CPU each':^32}")
    print(f"{'':<41} {sizes}  |{sizes}{'1e6':>8}")
    for row, item in zip(rows, items):
        time_it(row, item)
        print(line(row), flush=True)
    ours = peers.PEERS[0]
    if ours.has("echo") and (not chosen or "echo" in chosen):
        rows.append(connections(ours))
    too_fast = [row["key"] for row in rows if row["faster than defined"]]
    print("\nGrows faster than defined: " + ", ".join(too_fast) if too_fast else
          "\nNothing grows faster than its definition asks.")
    return rows, 1 if too_fast else 0


def markdown(rows):
    lines = ["| what | defined | fitted exponent | instructions each at 1,000 / 10,000 / 100,000 | "
             "ns each at 1,000 / 100,000 / 1,000,000 |", "|---|---|--:|--:|--:|"]
    for row in rows:
        if "instructions" not in row:
            lines.append(f"| {row['key']}, 10 to 10,000 | {row['definition']} | – | – | "
                         + " / ".join(report.number(time) for time in row["ns"].values()) + " |")
            continue
        counts = {int(size): count for size, count in row["instructions"].items()}
        times = {int(size): time for size, time in row["ns"].items()}
        lines.append(f"| {row['key']} | {row['definition']} | {row['exponent']:.2f} | "
                     + " / ".join(report.number(counts[size]) for size in sorted(counts)) + " | "
                     + " / ".join(report.number(times[size]) for size in (1000, 100_000, 1_000_000)) + " |")
    return "\n".join(lines)
