"""The public names of include/asyncio with their comments, as doxygen finds them: what the site shows, and what is checked."""
import pathlib
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

DOXYFILE = """
PROJECT_NAME = asyncio
INPUT = {include}/asyncio
RECURSIVE = YES
FILE_PATTERNS = *.h
STRIP_FROM_PATH = {include}
OUTPUT_DIRECTORY = {out}
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
EXTRACT_ALL = YES
QUIET = YES
WARNINGS = NO
WARN_LOGFILE = /dev/null
HAVE_DOT = NO
"""
# Public for the library's sake alone: what C++ asks of a type, and doors between our own parts.
FOR_THE_LIBRARY = re.compile(r"promise_type|value_type|iterator_category|difference_type|pointer|reference|await_\w+|inc_ref|dec_ref|operator (new|delete|=|co_await)|~.*|\w*_or_null|"
                             r"handle|kind|hash_value|describe|describe_item|tell|add_handle|drop_handle|detached|state|swap|"
                             r"is_linked|unlink|set_run|run_function|Run|Line|Kind|give_place_to|@\d+")


@dataclass
class Name:
    kind: str  # class, concept, enum, function, typedef, variable
    name: str  # within its class or namespace
    file: str
    line: int
    signatures: list = field(default_factory=list)
    docs: list = field(default_factory=list)  # that of each signature; empty where it shares the one before
    members: list = field(default_factory=list)
    bases: list = field(default_factory=list)  # public ones
    scope: str = ""  # "Task", "subprocess", or nothing for asyncio itself
    is_friend: bool = False  # called as f(x), not x.f()

    @property
    def doc(self):
        return "\n\n".join(doc for doc in self.docs if doc)

    @property
    def qualified(self):
        return f"{self.scope}::{self.name}" if self.scope else self.name


class Headers:
    """The text of the headers: comments and declarations as they are written there."""

    def __init__(self, include):
        self.include = include
        self.lines = {}

    def text(self, file):
        if file not in self.lines:
            self.lines[file] = (self.include / file).read_text().splitlines()
        return self.lines[file]

    def first_line(self, file, line):
        """Where the declaration begins whose name is in that line; both count from 1."""
        lines = self.text(file)
        while line > 1:
            above = lines[line - 2].strip()
            if not above or above.startswith(("//", "#")) or re.search(r"[;{}:]$|\*/$", re.sub(r"\s*//.*", "", above)):
                break
            line -= 1
        return line

    def comment(self, file, line):
        """What stands above the declaration in ///, or behind it in ///<."""
        lines = self.text(file)
        first = self.first_line(file, line) - 1
        above = first
        while above > 0 and re.match(r"\s*///(?!<)", lines[above - 1]):
            above -= 1
        found = [re.sub(r"^\s*/// ?", "", text) for text in lines[above:first]]
        at = line - 1
        while not found and at < len(lines):
            behind = re.search(r"///< ?(.*)", lines[at])
            if behind:
                while behind:
                    found.append(behind[1])
                    at += 1
                    behind = at < len(lines) and re.match(r"\s*///< ?(.*)", lines[at])
                break
            if re.search(r"[;{}]", lines[at]):
                break
            at += 1
        return "\n".join(found).strip()

    def behind_the_door(self, file, line):
        """Whether a comment above says that what follows in the class is for the library."""
        for text in reversed(self.text(file)[: line - 1]):
            if text.strip() == "// For the library.":
                return True
            if re.match(r"(public|private|protected):|\S", text):
                return False
        return False

    def values(self, file, line):
        """The enumerators of an enum that begins there, each with its comment."""
        text = "\n".join(self.text(file)[line - 1 : line + 120]).split("{", 1)[1].split("}", 1)[0]
        for match in re.finditer(r"^\s*(\w+)[^,\n]*,?(?:\s*///< ?(.*))?", text, re.M) if "\n" in text else re.finditer(r"(\w+)(?: = [^,]*)?,?()", text):
            yield match[1], match[2] or ""

    def declaration(self, file, line):
        """The declaration without its body, as it is formatted there."""
        lines = self.text(file)
        first = self.first_line(file, line) - 1
        indent = len(lines[first]) - len(lines[first].lstrip())
        text = "\n".join(re.sub(r"\s*//.*", "", text[indent:] if not text[:indent].strip() else text) for text in lines[first : first + 30])
        depth, end = 0, len(text)
        for i, letter in enumerate(text):
            if letter in "([":
                depth += 1
            elif letter in ")]":
                depth -= 1
            elif not depth and (letter == ";" or letter == "{" and text[i - 1 : i] != "="
                                and not text[:i].rstrip().endswith(("=", "requires"))):
                end = i
                break
            elif not depth and letter == ":" and text[i - 1] == " " and text[i + 1 : i + 2] != ":" and not re.match(r"\s*(class|struct|enum)", text):
                end = i
                break
        text = re.sub(r"\[\[[^\]]*\]\]\s*|\b(inline|friend|explicit(?!\())\s+", "", text[:end])
        text = re.sub(r"\bASYNCIO_\w+\s+", "", text)
        return re.sub(r"\n\s*$", "", text).rstrip()


def run_doxygen(include):
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["doxygen", "-"], input=DOXYFILE.format(include=include, out=out), text=True, check=True,
                       stdout=subprocess.DEVNULL)
        for path in sorted(pathlib.Path(out, "xml").glob("*.xml")):
            if re.match(r"(class|struct|namespace|concept|union)", path.name):
                yield from ElementTree.parse(path).getroot().iter("compounddef")


def refuses(member):
    """Whether this overload is there to say what to write instead: its parameters have no names, or it is deleted."""
    types = [(param.findtext("declname"), "".join(param.find("type").itertext())) for param in member.findall("param")]
    return (member.findtext("argsstring") or "").endswith("=delete") or any(
        name is None and re.search(r"(&&|&)\s*(\.\.\.)?$", type) and "std::exception_ptr" not in type for name, type in types)


def of_the_library(member):
    """Whether users are not meant to call it."""
    name = member.findtext("name")
    parameters = " ".join("".join(param.find("type").itertext()) for param in member.findall("param"))
    return (FOR_THE_LIBRARY.fullmatch(name) or name.startswith("operator ") and name != "operator bool" and "()" not in name
            or re.search(r"detail::(Ref\b|\w+ ?[*&])|Ref< \w+State|std::align_val_t", parameters)
            or "friend class" in (member.findtext("definition") or ""))


class Reader:
    def __init__(self, include):
        self.headers = Headers(include)
        self.compounds = {compound.get("id"): compound for compound in run_doxygen(include)}

    def add(self, names, member, scope):
        kind = {"typedef": "typedef", "enum": "enum", "variable": "variable"}.get(member.get("kind"), "function")
        name = member.findtext("name")
        where = member.find("location")
        if not name or not where.get("file").endswith(".h"):
            return
        file, line = where.get("declfile") or where.get("file"), int(where.get("declline") or where.get("line"))
        signature = self.headers.declaration(file, line)
        doc = self.headers.comment(file, line)
        if re.match(r"friend class|friend struct", self.headers.text(file)[line - 1].strip()) or self.headers.behind_the_door(file, line):
            return
        entry = next((other for other in names if (other.name, other.kind) == (name, kind)), None)
        if not entry:
            entry = Name(kind, name, file, line, scope=scope, is_friend=self.headers.text(file)[line - 1].strip().startswith("friend "))
            names.append(entry)
        if not scope and name in ("repr", "str"):  # of many types, in many headers
            entry.file = "asyncio/errors/repr.h"
        if kind == "enum":
            entry.members = [Name("enumerator", value, file, line, docs=[comment], scope=name) for value, comment in self.headers.values(file, line)]
        if signature not in entry.signatures:
            entry.signatures.append(signature)
            entry.docs.append(doc)

    def members(self, compound, scope):
        """Public ones, and those of bases that only the library knows."""
        names = []
        found = [member for member in compound.iter("memberdef") if member.get("prot") == "public"]
        for member in sorted(found, key=lambda member: int(member.find("location").get("line"))):
            if not refuses(member) and not of_the_library(member) and not self.is_private(compound, member):
                self.add(names, member, scope)
        for base in compound.findall("basecompoundref"):
            owner = self.compounds.get(base.get("refid"))
            if owner is not None and base.get("prot") == "public" and "::detail::" in owner.findtext("compoundname"):
                for name in self.members(owner, scope):
                    if not any(other.name == name.name for other in names) and name.name != owner.findtext("compoundname").split("::")[-1]:
                        names.append(name)
        return names

    def is_private(self, compound, member):
        """A constructor whose parameters are the library's."""
        short = re.sub(r"<.*", "", compound.findtext("compoundname").split("::")[-1])
        return member.findtext("name") == short and "detail::" in (member.findtext("argsstring") or "") and "detail::Count" not in member.findtext("argsstring")

    def bases(self, compound):
        found = []
        for base in compound.findall("basecompoundref"):
            owner = self.compounds.get(base.get("refid"))
            if base.get("prot") != "public":
                continue
            if "detail::" in base.text:
                found += self.bases(owner) if owner is not None else []
            else:
                found.append(base.text.replace("asyncio::", ""))
        return found

    def names(self):
        names = []
        for compound in self.compounds.values():
            full = compound.findtext("compoundname")
            if not re.match(r"asyncio(::|$)", full) or "detail" in full or "<" in full:  # specialisations
                continue
            scope, _, name = full.removeprefix("asyncio::").rpartition("::")
            if compound.get("kind") == "namespace":
                found = [member for member in compound.iter("memberdef")]
                for member in sorted(found, key=lambda m: (m.find("location").get("file"), int(m.find("location").get("line")))):
                    is_guide = member.get("kind") == "function" and not "".join(member.find("type").itertext())  # of deduction
                    if not refuses(member) and not of_the_library(member) and not is_guide:
                        self.add(names, member, "" if full == "asyncio" else full.removeprefix("asyncio::"))
                continue
            where = compound.find("location")
            file, line = where.get("file"), int(where.get("line"))
            if compound.get("prot") == "private" or not file.endswith(".h"):
                continue
            entry = Name("concept" if compound.get("kind") == "concept" else "class", name, file, line, scope=scope)
            entry.signatures = [self.headers.declaration(file, line)]
            entry.docs = [self.headers.comment(file, line)]
            if entry.kind == "class":
                entry.members = self.members(compound, entry.qualified)
                entry.bases = self.bases(compound)
            names.append(entry)
        return sorted(names, key=lambda name: (name.file, name.line))


def read(root):
    return Reader(pathlib.Path(root) / "include").names()
