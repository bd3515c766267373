#!/usr/bin/env python3
"""Builds the site: the Markdown files, the examples and the reference as HTML that needs no server and no network.

build.py OUT      writes OUT/site; fails when a link in it leads nowhere
"""
import argparse
import html.parser
import json
import logging
import os
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import reference
import reference_pages

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDES = "core tasks sync queues generators streams protocols datagrams pipes subprocess sockets tls debugging tracebacks inspect metrics probes".split()
LATER = "coroutine_traps fork failing performance".split()
PRODUCTION = "production platforms modules versioning".split()
OF_THE_ROOT = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "security.md",
               "ARCHITECTURE.md": "architecture.md", "CONTRIBUTING.md": "contributing.md",
               "tests/conformance/README.md": "conformance.md", "bench/README.md": "bench.md", "packaging/README.md": "packaging.md"}
FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.S | re.M)


def slugify(heading, separator="-"):  # GitHub's, as tools/check_links.py has it
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def title_of(text):
    return re.search(r"^# (.*)", text, re.M)[1]


class Sources:
    """The Markdown of the site."""

    def __init__(self):
        self.pages = {}  # path in the site -> text
        self.of_file = {}  # path in the repository -> path in the site
        for name, page in OF_THE_ROOT.items():
            if (ROOT / name).exists():
                self.of_file[ROOT / name] = page
        for path in sorted((ROOT / "docs").glob("*.md")):
            self.of_file[path] = f"docs/{path.name}"
        for path in [*sorted((ROOT / "examples").glob("*.cpp")), *sorted((ROOT / "examples/ports").glob("*.cpp"))]:
            self.of_file[path] = f"examples/{path.stem}.md"
        for path in (ROOT / "examples", ROOT / "examples/README.md"):
            self.of_file[path] = "examples/index.md"
        for path in sorted((ROOT / "examples").iterdir()):
            if path.is_dir() and list(path.glob("main.cpp")):
                self.of_file[path] = f"examples/{path.name}.md"

    def relinked(self, text, file):
        """Links to files lead to their pages; a file that has none is named by its path."""
        here = pathlib.PurePosixPath(self.of_file[file]).parent

        def link(match):
            label, target = match[1], match[2]
            name, _, fragment = target.partition("#")
            if not name or re.match(r"\w+:", target):
                return match[0]
            path = (file.parent / name).resolve()
            if path.suffix in (".svg", ".png"):
                return match[0]
            if path not in self.of_file:
                return f"{label} (`{path.relative_to(ROOT)}`)" if path.name not in label else f"`{path.relative_to(ROOT)}`"
            address = os.path.relpath(self.of_file[path], here)
            return f"[{label}]({address}{'#' + fragment if fragment else ''})"

        parts = re.split(r"(^`{3,}.*?^`{3,}$)", text, flags=re.S | re.M)
        return "".join(part if i % 2 else re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", link, part) for i, part in enumerate(parts))

    def markdown(self, file):
        text = self.relinked(file.read_text(), file)
        text = re.sub(r"^<!-- snippet:.*-->\n", "", text, flags=re.M)
        return spaced(text)

    def examples(self):
        for path, page in self.of_file.items():
            if not page.startswith("examples/") or page == "examples/index.md":
                continue
            source = path / "main.cpp" if path.is_dir() else path
            twin, printed = path.with_suffix(".py"), path.parent / "expected" / f"{path.stem}.txt"
            parts = [("C++", "cpp", source)]
            if not path.is_dir() and twin.exists():
                parts.append(("Python", "python", twin))
            text = f"# {path.stem}\n\n{introduction(source.read_text())}\n"
            for label, language, file in parts:
                body = "".join(f"    {line}\n" if line else "\n" for line in file.read_text().splitlines())
                text += f'\n=== "{label}"\n\n    ```{language}\n{body}    ```\n'
            if printed.exists() and printed.read_text().strip():
                text += f"\nBoth print:\n\n```text\n{printed.read_text().rstrip()}\n```\n"
            if path.is_dir():
                others = sorted(file.name for file in path.iterdir() if file.name != "main.cpp")
                text += f"\nThe rest of it is beside it in `examples/{path.name}`: " + ", ".join(f"`{name}`" for name in others) + ".\n"
            yield page, path, text, introduction(source.read_text())


def introduction(source):
    """The comment that a program begins with."""
    lines = []
    for line in source.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").removeprefix(" "))
    return "\n".join(lines)


def spaced(text):
    """GitHub begins a list without an empty line before it, and continues an item by two spaces; Python-Markdown does not."""
    out, fenced = [], False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if not fenced and out and re.match(r"([-*]|\d+\.) ", line) and out[-1].strip() and not re.match(r"\s*([-*]|\d+\.) |  ", out[-1]):
            out.append("")
        if line.lstrip().startswith("|") and not fenced:
            line = re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "&#124;") if "\\|" in code[0] else code[0], line)
            line = re.sub(r"`([^`]*&#124;[^`]*)`", lambda code: "<code>" + code[1].replace("<", "&lt;") + "</code>", line)
        out.append(line)
    return "\n".join(out)


def code_of(sources):
    """The code of the guides, the recipes and the examples: (rank, title, address, code)."""
    places = []
    for file, page in sources.of_file.items():
        if file.suffix == ".md" and page.startswith("docs/") and file.stem not in ("performance", "from-python"):
            text, heading, title = file.read_text(), "", title_of(file.read_text())
            for part in re.split(r"(^#+ .*$)", FENCE.sub(lambda m: m[0].replace("\n#", "\n\x01#"), text), flags=re.M):
                if re.match(r"#+ ", part):
                    heading = part.lstrip("#").strip()
                    continue
                code = "\n".join(match[3] for match in FENCE.finditer(part) if match[2] == "cpp")
                if code:
                    label = f"{title}: {heading}" if heading and heading != title else title
                    fragment = "" if heading == title else f"#{slugify(heading)}"
                    places.append((0 if file.stem == "tutorial" else 1, label.replace("`", ""), f"../{page}{fragment}", code))
        elif file.suffix == ".cpp":
            places.append((2, f"examples/{file.stem}", f"../{page}", file.read_text()))
    return places


def uses_of(names, sources):
    """Where the guides, the recipes and the examples use a name in their code."""
    places = code_of(sources)
    uses = {}
    for name in names:
        for key, word, member in [(name.qualified, name.name, False)] + [(f"{name.qualified}::{m.name}", m.name, True) for m in name.members if m.kind == "function"]:
            if member:
                pattern = rf"(?:\.|->){re.escape(word)}(?:<[^<>]*>)?\("
            elif name.kind == "function":
                pattern = rf"(?<![\w.>]){re.escape(word)}(?:<[^<>]*>)?\("
            else:
                pattern = rf"\b{re.escape(word)}\b"
            pattern = re.compile(pattern)
            whose = re.compile(rf"\b{re.escape(name.name)}\b|\b{re.escape(name.name.lower())}\b")
            found = [(rank, len(code), title, address) for rank, title, address, code in places
                     if pattern.search(code) and (not member or whose.search(code))]
            uses[key] = [(title, address) for _, _, title, address in sorted(found)[: 2 if member else 4]]
    return uses


def write_pages(folder):
    sources = Sources()
    names = reference.read(ROOT)
    details = {word for file in (ROOT / "include").rglob("*.h") for block in re.findall(r"^namespace detail \{(.*?)^\}", file.read_text(), re.S | re.M)
               for word in re.findall(r"^(?:class|struct)(?: \[\[.*?\]\])? (\w+)", block, re.M)}
    made = reference_pages.Reference(names, details | {"Waiter"}, uses_of(names, sources),
                                     reference_pages.rows_of((ROOT / "docs/from-python.md").read_text()))
    pages = {}
    for file, page in sources.of_file.items():
        if file.suffix == ".md" and file.exists():
            text = sources.markdown(file)
            if page.startswith("docs/"):
                head, rest = text.split("\n", 1)
                text = head + "\n" + "".join(part if part.startswith(("#", "```")) else made.linked(part, "../reference/")
                                             for part in re.split(r"(^`{3,}.*?^`{3,}$|^#+ [^\n]*$)", rest, flags=re.S | re.M))
            pages[page] = text
    index = ["# Examples\n", "Each is a whole program, and a test runs it; most stand beside the same program in Python.\n", "| | |", "|---|---|"]
    examples = []
    for page, path, text, about in sources.examples():
        pages[page] = text
        examples.append({path.stem: page})
        index.append(f"| [{path.stem}]({path.stem}.md) | {re.split(r'(?<=[.:]) |' + chr(10) + chr(10), about.replace(chr(10), ' '))[0]} |")
    pages["examples/index.md"] = "\n".join(index) + "\n"
    pages["reference/index.md"] = made.front()
    titles = []
    for file, title, text in made.pages():
        pages[f"reference/{file}"] = text
        titles.append({title: f"reference/{file}"})
    for page, text in pages.items():
        path = folder / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for file in [*(ROOT / "docs").glob("*.svg"), *(ROOT / "docs").glob("*.png")]:
        shutil.copy(file, folder / "docs")
    return navigation(pages, titles, examples)


def navigation(pages, titles, examples):
    docs = {pathlib.PurePosixPath(page).stem: {title_of(text).replace("`", ""): page} for page, text in pages.items() if page.startswith("docs/")}
    placed = {"tutorial", "cookbook", "from-python", *GUIDES, *LATER, *PRODUCTION}
    others = [stem for stem in docs if stem not in placed]  # a new page is a guide
    guides = [docs[stem] for stem in [*GUIDES, *others, *LATER] if stem in docs]
    production = [docs[stem] for stem in PRODUCTION] + [{"Security": "security.md"}, {"Packages": "packaging.md"}, {"Changes": "changelog.md"}]
    inside = [{"Architecture": "architecture.md"}, {"Contributing": "contributing.md"}]
    inside += [{title: page} for title, page in (("Random programs", "conformance.md"), ("Benchmarks", "bench.md")) if page in pages]
    return [{"Home": "index.md"}, {"Tutorial": "docs/tutorial.md"}, {"Guides": guides}, {"Cookbook": "docs/cookbook.md"},
            {"Examples": ["examples/index.md", *examples]}, {"Reference": ["reference/index.md", *titles]}, {"From Python": "docs/from-python.md"},
            {"Production": production}, {"Inside": inside}]


def build(folder, site, nav):
    from mkdocs.commands import build as command
    from mkdocs.config import load_config
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    palette = [{"media": "(prefers-color-scheme: light)", "scheme": "default", "primary": "indigo", "accent": "indigo",
                "toggle": {"icon": "material/weather-night", "name": "Dark"}},
               {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "primary": "indigo", "accent": "indigo",
                "toggle": {"icon": "material/weather-sunny", "name": "Light"}}]
    settings = folder.parent / "mkdocs.yml"  # it insists on a file
    settings.write_text("site_name: asyncio for C++\n")
    config = load_config(
        str(settings), docs_dir=str(folder), site_dir=str(site), nav=nav, use_directory_urls=False,
        theme={"name": "material", "font": False, "palette": palette, "icon": {"logo": "material/sync"},
               "features": ["navigation.tabs", "navigation.sections", "navigation.top", "navigation.indexes", "search.highlight", "search.suggest"]},
        plugins=["search"], extra_css=["site.css"], copyright="MIT License", extra={"generator": False},
        markdown_extensions=["attr_list", "md_in_html", {"toc": {"slugify": slugify, "permalink": True, "toc_depth": 3}}, "sane_lists",
                             "pymdownx.superfences", {"pymdownx.tabbed": {"alternate_style": True}}, "pymdownx.highlight"])
    command.build(config)


def without_a_server(site):
    """Pages opened as files: what a browser would have to fetch for the search is a script, and the search no Worker."""
    index = (site / "search/search_index.json").read_text()
    (site / "search/index.js").write_text(f"var __search = {{index: Promise.resolve({index})}};\n")
    for page in site.rglob("*.html"):
        up = os.path.relpath(site, page.parent)
        text = page.read_text()
        scripts = f'<script src="{up}/search/index.js"></script><script src="{up}/as_files.js"></script>'
        page.write_text(text.replace("</head>", f"{scripts}</head>", 1))


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.fetched = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag in ("img", "script", "iframe") and found.get("src"):
            self.fetched.append(found["src"])
        elif tag == "link" and found.get("href") and found.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.fetched.append(found["href"])


def complaints(site):
    pages = {path.resolve(): Page(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"}
    for path, page in sorted(pages.items()):
        for link in page.fetched + page.links:
            name = path.relative_to(site.resolve())
            if re.match(r"\w+:|//", link):
                if link in page.fetched:
                    yield f"{name}: {link} is fetched from the network"
                continue
            file, _, fragment = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                yield f"{name}: {file} is not there"
            elif fragment and target in pages and fragment not in pages[target].ids:
                yield f"{name}: {target.name} has no #{fragment}"


def main(out):
    folder, site = out / "markdown", out / "site"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nav = write_pages(folder)
    for extra in ("site.css", "as_files.js"):
        shutil.copy(pathlib.Path(__file__).parent / extra, folder)
    build(folder, site, nav)
    without_a_server(site)
    found = sorted(set(complaints(site)))
    print("\n".join(found) or f"{site}/index.html: {len(list(site.rglob('*.html')))} pages, every link leads somewhere")
    return bool(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    sys.exit(main(parser.parse_args().out.resolve()))
