"""Fills the figures of docs/performance.md from results that are kept beside the benchmarks."""
import json
import re

from . import growth, instructions, peers, plot, report

PAGE = peers.BENCH.parent / "docs" / "performance.md"
PLOT = PAGE.with_suffix(".svg")
RESULTS = peers.BENCH / "results.json"
GROWTH = peers.BENCH / "growth.json"
TRANSPORTS = peers.BENCH / "transports.json"
TLS = peers.BENCH / "tls.json"


def fill(results_path, growth_path, transports_path, tls_path):
    """Keeps the results given, and writes the page and its plot from those kept."""
    for given, kept in ((results_path, RESULTS), (growth_path, GROWTH), (transports_path, TRANSPORTS),
                        (tls_path, TLS)):
        if given and given.resolve() != kept:
            kept.write_text(given.read_text())
    results = json.loads(RESULTS.read_text())
    rows = json.loads(GROWTH.read_text())["rows"]
    transports = json.loads(TRANSPORTS.read_text())
    tls = json.loads(TLS.read_text())
    PLOT.write_text(plot.svg(results))
    blocks = {
        "machine": about(results),
        "table": report.markdown(results),
        "behind": listed(report.behind(results) + report.behind(transports)) or "No peer is ahead of us in any row.",
        "transports": f"{about(transports)}\n\n{report.markdown(transports)}",
        "tls": f"{about(tls)}\n\n{report.markdown(tls)}",
        "growth": growth.markdown(rows),
        "instructions": instructions.markdown(json.loads(instructions.BESIDE.read_text())),
        "compilers": instructions.recorded_markdown(),
    }
    page = PAGE.read_text()
    for name, text in blocks.items():
        page, found = re.subn(rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)",
                              lambda match, text=text: match[1] + text + "\n" + match[2], page, flags=re.DOTALL)
        if found != 1:
            raise RuntimeError(f"{PAGE.name} has no place for {name}")
    PAGE.write_text(page)
    print(f"written: {PAGE} and {PLOT.name}")
    return 0


def listed(lines):
    return "\n".join(f"- {line}" for line in lines)


def about(results):
    machine = results["machine"]
    peers_there = ", ".join(f"{peer['title']} {peer['version']}" for name, peer in results["peers"].items()
                            if name not in ("ours", "epoll"))
    lines = [f"{results['time'][:10]}; {machine['processor']}; Linux {machine['kernel']}; {machine['compiler']}, -O2; "
             f"load when it began {machine['load']:.1f}; {results['runs']} runs of each.", f"Peers: {peers_there}."]
    if results["missing"]:
        lines.append("Missing: " + "; ".join(f"{name} ({why})" for name, why in results["missing"].items()) + ".")
    if results["quick"]:
        lines.append("**A quick run: a look, not figures.**")
    return "\n".join(lines)

