"""Runs programs, in turn, and keeps the figures that they print."""
import os
import statistics
import subprocess

from . import workloads


class NoSuchForm(Exception):
    """The peer has no counterpart."""


def parse(line):
    figures = {}
    for field in line.split():
        name, value = field.split("=")
        figures[name] = int(value) if name in ("operations", "check") else float(value)
    return figures


def run_program(peer, form, size, timeout=120):
    """One run of `size` operations."""
    done = subprocess.run([*peer.command(form.workload), form.name, str(size)], capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, **peer.environment})
    if done.returncode == 2 and "usage" in done.stderr or "usage: " in done.stderr:
        raise NoSuchForm
    if done.returncode:
        raise RuntimeError(f"{peer.name} {form.key} {size}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return parse(done.stdout)


def size_for(peer, form, seconds, run, first_run):
    """How many operations take about `seconds`, found by runs that warm up the machine too."""
    size, took = form.base, first_run[form.figure]
    while took < seconds / 8 and size < 100_000_000:
        growth = min(50, max(2, seconds / 4 / max(took, 1e-6)))
        size = int(size * growth) // form.base * form.base
        took = run(peer, form, size)[form.figure]
    wanted = size * seconds / max(took, 1e-6)
    return max(1, int(wanted) // form.base) * form.base


def measure(form, peers, runs, seconds, quick, run=run_program):
    """The figures of every peer that has the form: {name: {"size": …, "runs": […], …}}."""
    sizes, checks = {}, {}
    taking_part = []
    for peer in peers:
        if not peer.has(form.workload):
            continue
        try:
            small = run(peer, form, form.base)
        except NoSuchForm:
            continue
        checks[peer.name] = small["check"]
        if form.size:
            fixed = form.slow_size if peer.name in workloads.SLOW else form.size
            sizes[peer.name] = min(fixed, form.quick_size) if quick else fixed
        else:
            sizes[peer.name] = size_for(peer, form, seconds, run, small)
        taking_part.append(peer)
    wrong = [name for name, check in checks.items() if check != checks.get("ours", check)]
    if wrong:
        raise RuntimeError(f"{form.key}: other results than ours, {checks}")
    figures = {peer.name: [] for peer in taking_part}
    for turn in range(min(runs, 3) if form.size else runs):  # those of a fixed size are long
        first = turn % len(taking_part) if taking_part else 0
        for peer in taking_part[first:] + taking_part[:first]:  # nobody always runs after the same
            figures[peer.name].append(run(peer, form, sizes[peer.name]))
    return {name: summary(form, sizes[name], all_runs) for name, all_runs in figures.items()}


def summary(form, size, all_runs):
    values = sorted(form.value(one) for one in all_runs)
    median = statistics.median(values)
    each = {what: statistics.median(one[what] / one["operations"] for one in all_runs) for what in ("wall", "cpu")}
    return {
        "size": size,
        "median": median,
        "min": values[0],
        "max": values[-1],
        "spread": (values[-1] - values[0]) / median / 2 if median else 0,
        "wall_seconds_each": each["wall"],
        "cpu_seconds_each": each["cpu"],
        "values": values,
    }
