"""Tables: on the terminal, and in Markdown for the docs."""


def number(value):
    """Three digits."""
    if value >= 999.5:
        return f"{value:,.0f}"
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def ratio(value):
    if value >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def ratios(row):
    """Each peer's figure in ours, which are 1.00."""
    ours = row["peers"].get("ours")
    if not ours or not ours["median"]:
        return {}
    return {name: peer["median"] / ours["median"] for name, peer in row["peers"].items()}


def rivals(row):
    """The peers but for ours and for what only shows the limit."""
    return {name: peer for name, peer in row["peers"].items() if name not in ("ours", "epoll")}


def block(row, titles):
    """One workload, best first."""
    lines = [f"{row['title']}  ({row['unit']})"]
    times_ours = ratios(row)
    for name, peer in sorted(row["peers"].items(), key=lambda item: item[1]["median"]):
        times = f"{ratio(times_ours[name]):>8}" if name in times_ours else ""
        lines.append(f"    {titles[name]:<18} {number(peer['median']):>9}  ±{100 * peer['spread']:2.0f} %{times}")
    return "\n".join(lines)


def order_of(results):
    """The peers that took part in anything, in the catalogue's order."""
    return [name for name in results["peers"] if any(name in row["peers"] for row in results["rows"])]


def table(results):
    """The ratios of all workloads at a glance."""
    names = order_of(results)
    width = max(len(row["title"]) for row in results["rows"])
    lines = [" " * width + "".join(f"{name:>9}" for name in names) + "   ratios; ours = 1.00"]
    for row in results["rows"]:
        times_ours = ratios(row)
        cells = "".join(f"{ratio(times_ours[name]) if name in times_ours else '–':>9}" for name in names)
        lines.append(f"{row['title']:<{width}}{cells}")
    return "\n".join(lines)


def behind(results):
    """Where a peer is ahead, by how much."""
    lines = []
    for row in results["rows"]:
        times_ours = ratios(row)
        ahead = {name: times_ours[name] for name in rivals(row) if name in times_ours and times_ours[name] < 1}
        for name, times in sorted(ahead.items(), key=lambda item: item[1]):
            tie = " (within the spread)" if overlap(row, name) else ""
            lines.append(f"{row['title']}: {results['peers'][name]['title']} takes {times:.2f} of our {row['unit']}{tie}")
    return lines


def overlap(row, name):
    ours, peer = row["peers"]["ours"], row["peers"][name]
    return ours["min"] <= peer["max"]


def markdown(results, limit=True):
    """Figures and ratios: ours with its spread, then each peer as `figure (ratio)`; the best in bold."""
    names = [name for name in order_of(results) if name != "ours"]
    titles = [results["peers"][name]["title"] for name in names]
    lines = ["| workload | unit | ours | " + " | ".join(titles) + " |", "|---|---|" + "--:|" * (len(names) + 1)]
    for row in results["rows"]:
        times_ours = ratios(row)
        ours = row["peers"].get("ours")
        best = min(peer["median"] for name, peer in row["peers"].items() if name != "epoll")
        cells = [bold(f"{number(ours['median'])}", ours["median"] <= best) + f" ±{100 * ours['spread']:.0f} %"
                 if ours else "–"]
        for name in names:
            peer = row["peers"].get(name)
            text = "–"
            if peer:
                text = bold(number(peer["median"]), peer["median"] <= best and name != "epoll")
                if name in times_ours:
                    text += f" ({ratio(times_ours[name])})"
            cells.append(text)
        lines.append(f"| {row['title']} | {row['unit']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bold(text, wanted):
    return f"**{text}**" if wanted else text


def compare(before, after):
    """Our own figures beside those of an earlier run, and in relation to what the peers did in both."""
    earlier = {row["key"]: row for row in before["rows"]}
    lines = []
    for row in after["rows"]:
        then = earlier.get(row["key"])
        if not then or "ours" not in then["peers"] or "ours" not in row["peers"]:
            continue
        old, new = then["peers"]["ours"]["median"], row["peers"]["ours"]["median"]
        lines.append(f"{row['title']:<32} {number(old):>9} → {number(new):>9}  {new / old:6.2f}")
    return "\n".join(lines)
