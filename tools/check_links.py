#!/usr/bin/env python3
"""Every link between the Markdown files leads to a file that is there, and to a heading that is in it.

check_links.py [ROOT]
check_links.py --self-test
"""
import pathlib
import re
import sys
import tempfile

FENCE = re.compile(r"^(`{3,}).*?^\1", re.S | re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path):
    return {slug(heading) for heading in re.findall(r"^#+ (.*)", FENCE.sub("", path.read_text()), re.M)}


def complaints(root):
    pages = [*root.glob("*.md"), *(path for folder in ("docs", "bench", "packaging", "tests") for path in (root / folder).rglob("*.md"))]
    for page in sorted(pages):
        text = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), page.read_text())
        for match in LINK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            file, _, anchor = match[1].partition("#")
            target = (page.parent / file).resolve() if file else page
            if re.match(r"\w+:", match[1]):
                continue
            if not target.exists():
                yield f"{page.relative_to(root)}:{line}: {file} is not there"
            elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                yield f"{page.relative_to(root)}:{line}: {target.name} has no heading #{anchor}"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "docs").mkdir()
        (root / "README.md").write_text("[a](docs/a.md#one-and-two) [b](docs/b.md) [c](https://example.org) [d](#none)\n"
                                        "```\n[e](nowhere)\n```\n")
        (root / "docs/a.md").write_text("# One, and `two`\n[up](../README.md)\n```\n# none\n```\n[x](#none)\n")
        found = list(complaints(root))
    assert found == ["README.md:1: docs/b.md is not there", "README.md:1: README.md has no heading #none",
                     "docs/a.md:6: a.md has no heading #none"], found


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    found = list(complaints(pathlib.Path(sys.argv[1] if sys.argv[1:] else pathlib.Path(__file__).parent.parent).resolve()))
    print("\n".join(found) or "every link leads somewhere")
    sys.exit(bool(found))
