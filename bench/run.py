#!/usr/bin/env python3
"""Runs the workloads side by side with the peers, interleaved, and prints medians, spreads and ratios.

./dev bench calls it after it has built the programs. README.md beside it says how it measures.
"""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from harness import (children, datagrams, docs, echo, edges, growth, instructions, measure, peers, pipes, plot, report, self_test,
                     tls, workloads)

RESULTS = peers.BENCH.parent / "build" / "bench" / "results"


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--workload", action="append", default=[], metavar="X", help="only this workload or form "
                        "(spawn_join, spawn_join/group); may be repeated")
    parser.add_argument("--peer", action="append", default=[], metavar="Y", help="only ours and this peer; may be "
                        "repeated; ours alone: --peer ours")
    parser.add_argument("--quick", action="store_true", help="three short runs of each: a look, not a figure")
    parser.add_argument("--runs", type=int, help="how often each program runs (5; quick: 3)")
    parser.add_argument("--json", type=Path, help=f"where the results go ({RESULTS.relative_to(Path.cwd())}/…)"
                        if RESULTS.is_relative_to(Path.cwd()) else None)
    parser.add_argument("--compare", type=Path, metavar="JSON", help="print our figures beside those of an earlier run")
    parser.add_argument("--check", action="store_true", help="compare our instructions per operation with those "
                        "recorded, and fail on growth")
    parser.add_argument("--record", action="store_true", help="record them anew")
    parser.add_argument("--instructions", action="store_true", help="instructions per operation of us and of those "
                        "peers that callgrind can run")
    parser.add_argument("--edges", action="store_true", help="what it costs that each suspension notes what it waits for")
    parser.add_argument("--growth", action="store_true", help="how our costs grow, over sizes from 1 to 1,000,000")
    parser.add_argument("--micro", nargs=argparse.REMAINDER, metavar="ARG", help="run Google Benchmark's programs, with "
                        "these arguments")
    parser.add_argument("--docs", nargs="*", type=Path, metavar="JSON", help="fill docs/performance.md from the results "
                        "of a run, of --growth, of a run of transports, and of one of tls and children; without them from those "
                        "that are kept")
    parser.add_argument("--self-test", action="store_true", help="test the runner itself")
    parser.add_argument("--list", action="store_true", help="the workloads and the peers")
    return parser.parse_args()


def chosen_forms(wanted):
    forms = [form for form in workloads.FORMS if not wanted or form.workload in wanted or form.key in wanted]
    if not forms:
        sys.exit(f"no such workload; there are {', '.join(sorted({form.workload for form in workloads.FORMS}))}")
    return forms


def runner_of(form):
    runners = {"echo": echo.run, "udp": datagrams.run, "pipe": pipes.run, "tls": tls.run,
               "children": children.run}
    return runners.get(form.workload, measure.run_program)


def machine():
    cpus = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": f"{len(cpus)} × {cpus[0]}" if cpus else platform.processor(),
        "kernel": platform.release(),
        "compiler": peers.output_of("g++", "--version").splitlines()[0],
        "load": os.getloadavg()[0],
    }


def warn_if_busy():
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The machine is busy (load {load:.1f}): compare ratios, and do not trust small differences.\n")


def main():
    options = arguments()
    if options.edges:
        return edges.check()
    if options.record:
        return instructions.record()
    if options.check:
        return instructions.check()
    if options.self_test:
        return self_test.run()
    if options.instructions:
        return instructions.beside(peers.build(options.peer))
    if options.growth:
        return grow(options)
    if options.docs is not None:
        return docs.fill(*[*options.docs, None, None, None, None][:4])
    if options.micro is not None:
        return run_micro(options.micro)
    forms = chosen_forms(options.workload)
    everybody = peers.build(options.peer)
    there = [peer for peer in everybody if not peer.missing]
    if options.list:
        for form in forms:
            print(f"{form.key:<22} {form.title:<28} {', '.join(p.name for p in there if p.has(form.workload))}")
    for peer in everybody:
        print(f"missing: {peer.title}: {peer.missing}" if peer.missing else f"{peer.name:<8} {peer.title} {peer.version()}")
    if options.list:
        return 0
    print()
    warn_if_busy()
    runs = options.runs or (3 if options.quick else 5)
    seconds = 0.06 if options.quick else 0.2
    titles = {peer.name: peer.title for peer in there}
    results = {
        "time": datetime.datetime.now().isoformat(timespec="seconds"),
        "machine": machine(),
        "runs": runs,
        "quick": options.quick,
        "peers": {peer.name: {"title": peer.title, "version": peer.version()} for peer in there},
        "missing": {peer.name: peer.missing for peer in everybody if peer.missing},
        "rows": [],
    }
    for form in forms:
        row = {"key": form.key, "title": form.title, "unit": form.unit_text,
               "peers": measure.measure(form, there, runs, seconds, options.quick, runner_of(form))}
        if row["peers"]:
            results["rows"].append(row)
            print(report.block(row, titles), flush=True)
    finish(results, options)
    return 0


def grow(options):
    warn_if_busy()
    rows, failed = growth.run(options.workload)
    path = options.json or RESULTS / "growth.json"
    write(path, {"machine": machine(), "rows": rows})
    return failed


def run_micro(rest):
    for program in sorted((peers.BUILD / "micro").iterdir()):
        print(f"\n{program.name}", flush=True)
        subprocess.run([program, *rest], check=True)
    return 0


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    print(f"\nwritten: {path}")


def finish(results, options):
    print("\n" + report.table(results))
    lost = report.behind(results)
    print("\n" + ("\n".join(["A peer is ahead:", *lost]) if lost else "No peer is ahead."))
    path = options.json or RESULTS / f"{results['time'].replace(':', '')}.json"
    write(path, results)
    path.with_suffix(".svg").write_text(plot.svg(results))
    if options.compare:
        print("\nours, then and now:\n" + report.compare(json.loads(options.compare.read_text()), results))


if __name__ == "__main__":
    sys.exit(main())
