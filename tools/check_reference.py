#!/usr/bin/env python3
"""Every public name says what a user has to know of it: in its comment, from which tools/site makes the reference.

check_reference.py [ROOT]      check_reference.py --self-test

- Each name has a comment, and so has each public member function: one for all its overloads, but not one for several names. The class's
  comment is enough for constructors, and for what C++ or `with()` calls by itself: operators, `begin()`, `end()`, `what()`, `aenter()`,
  `aexit()`. Of other members the name may say enough, if the class's comment has it, or docs/from-python.md.
- What is to be awaited says what cancelling does.
- What throws, there or in its definition in src/, names the exception.
- It tells of Python's counterpart, or stands in a table row of docs/from-python.md.
- A number among the members of a struct says of what it is one.
- A function is shown in use: in its comment, or in the code of a guide, a recipe or an example, which the reference links. A type is
  shown by the functions that take or give it, and its members by code that calls them and names the class, a relative of it, or what
  takes or gives one. Threads: what nothing is said of belongs to its loop's thread, as the front page says.
"""
import pathlib
import re
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "site"))
import build
import reference
from reference_pages import hidden, page_of

# What C++ or with() calls by itself.
BY_LANGUAGE = re.compile(r"operator\W*|operator bool|aenter|aexit|what|begin|end")
# What needs no example: one reads it off.
BY_ITS_NAME = re.compile(r"repr|str|empty|size|has_value|Guard")
AWAITED = re.compile(r"^(?:template[^\n]*\n)?(?:requires[^\n]*\n)?(?:static |virtual )*(?:Coro<|detail::\w*(?:Operation|Waiter|Awaiter|Awaited|Sleep)|\w+Operation<|Operation<)")
NUMBERS = re.compile(r"\b(?:std::)?(?:size_t|ptrdiff_t|u?int\d+_t|int|unsigned|double)\b(?!\s*\()")
THROWS = re.compile(r"\bthrow (?:asyncio::)?([A-Z]\w+)")


# A user makes them, the library reads them.
READ_BY_THE_LIBRARY = {"Host", "Port", "EndpointAddress", "BytesLike", "WritableBytes", "Stream", "Account", "Arguments", "Pipeline",
                       "ClockOption", "IoBackendOption", "ProtocolRef"}
# For who writes a backend, as those in src/os.
FOR_BACKENDS = {"IoBackend", "IoOperation"}


class Definitions:
    """What the bodies of functions throw themselves."""

    def __init__(self, root):
        self.thrown = {}
        for path in (root / "src").rglob("*.cpp"):
            text = re.sub(r"//.*", "", path.read_text())
            for match in re.finditer(r"^[\w:<>&*~, ]*?\b((?:\w+(?:<\w+>)?::)*~?\w+)\((?:[^;{}\n]|\n(?=\s))*?\{(?!\})(.*?)(?:^\}|(?<=;) \}$)", text, re.S | re.M):
                for error in THROWS.findall(match[2]):
                    self.thrown.setdefault(match[1], set()).add(error)

    def of(self, name):
        return self.thrown.get(name.qualified, set())


def python_names(root):
    page = root / "docs/from-python.md"
    return {word for line in page.read_text().splitlines() if line.startswith("|") for word in re.findall(r"\w+", line)} if page.exists() else set()


def complaints(root):
    definitions, mapped = Definitions(root), python_names(root)
    for name in reference.read(root):
        if hidden(name):
            continue
        where = f"include/{name.file}:{name.line}: {name.qualified}"
        if not page_of(name):
            yield f"{where}: its header is on no page of the reference: see PAGES in tools/site/reference_pages.py"
        if not name.doc:
            yield f"{where} has no comment"
            continue
        if not tells_of_python(name, mapped):
            yield f"{where} tells of no counterpart in Python"
        for problem in lacks(name, name.doc, definitions):
            yield f"{where} {problem}"
        for member in name.members:
            if hidden(member) or member.kind == "enumerator" or BY_LANGUAGE.fullmatch(member.name):
                continue
            where = f"include/{member.file}:{member.line}: {name.qualified}::{member.name}"
            is_constructor = member.name == name.name.split("::")[-1]
            if not member.doc and not is_constructor and not told_by_its_class(member, name, mapped):
                yield f"{where} has no comment"
                continue
            for problem in lacks(member, member.doc + name.doc, definitions):
                yield f"{where} {problem}"


def all_not_shown(root):
    """Functions and members without an example."""
    names = [name for name in reference.read(root) if not hidden(name) and page_of(name)]
    functions = [name for name in names if name.kind == "function"]
    sources = build.Sources()
    yield from not_shown(functions, build.uses_of(functions, sources))
    yield from members_not_shown(names, [code for *_, code in build.code_of(sources)])


def not_shown(names, uses):
    for name in names:
        if "```" not in name.doc and not uses[name.qualified] and name.name not in ("repr", "str", "is_for_writing"):  # for authors of an IoBackend
            yield f"include/{name.file}:{name.line}: {name.qualified} has no example"


def members_not_shown(names, guides):
    """An override is shown with what it overrides, and what several classes have from one base, by one of them."""
    examples = [code for name in names for entry in (name, *name.members) for code in re.findall(r"^```cpp\n(.*?)^```", entry.doc, re.S | re.M)]
    classes = {name.name: name for name in names if name.kind == "class"}
    bases = {name: {re.sub("<.*", "", base).strip().split("::")[-1] for base in entry.bases} & set(classes) for name, entry in classes.items()}
    functions = [entry for name in names for entry in (name, *name.members) if entry.kind in ("function", "variable")]

    def ancestors(name):
        return {other for base in bases[name] for other in {base} | ancestors(base)}

    def relatives(name):
        return {name} | ancestors(name) | {other for other in classes if name in ancestors(other)}

    def ways_to(name):
        """Words that say that the code has such an object."""
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        return {name, name.lower(), snake} | {entry.name for entry in functions if any(re.search(rf"\b{name}\b", text) for text in entry.signatures)}

    members = {}  # where it is declared -> (class, member)
    for name in classes.values():
        for member in name.members:
            if (member.kind == "function" and not hidden(member) and not BY_LANGUAGE.fullmatch(member.name) and member.name != name.name
                    and not BY_ITS_NAME.fullmatch(member.name)
                    and name.name not in READ_BY_THE_LIBRARY | FOR_BACKENDS):
                members.setdefault((member.file, member.line), (name, member))
    shown = set()
    for name, member in members.values():
        is_virtual = any(re.search(r"\bvirtual\b|\boverride\b", text) for text in member.signatures)
        before = r"\b" if member.is_friend else rf"(?:\.|->|::{'| ' if is_virtual else ''})"
        call = re.compile(rf"{before}{re.escape(member.name)}(?:<[^<>]*>)?\(")
        is_only_one = len({other.file for _, other in members.values() if other.name == member.name}) == 1
        words = {word for relative in relatives(name.name) for word in ways_to(relative)}
        whose = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
        if any(call.search(code) and (is_only_one or whose.search(code)) for code in guides + examples):
            shown |= {(relative, member.name) for relative in relatives(name.name)}
    for name, member in members.values():
        if (name.name, member.name) not in shown:
            yield f"include/{member.file}:{member.line}: {name.qualified}::{member.name} has no example"


def tells_of_python(name, mapped):
    """By a row, a word, or by what it belongs to: `What wait() gives`."""
    return (name.name in mapped or name.scope or re.search(r"\b(Python|of yours|one of your own|New here)\b", name.doc)
            or any(word in mapped for word in re.findall(r"`(\w+)", name.doc)))


def told_by_its_class(member, name, mapped):
    """A function has a sentence of its own; of other members the name may say enough."""
    if member.kind == "function":
        return False
    plain = member.kind == "variable" and not NUMBERS.search(member.signatures[0])
    return plain or member.name.removeprefix("set_") in mapped or re.search(rf"\b{member.name}\b", name.doc)


def lacks(name, doc, definitions):
    if name.kind == "function":
        if any(AWAITED.match(text) for text in name.signatures) and not re.search("cancel|^(The same|As )", doc, re.I):
            yield "does not say what cancelling does"
        for error in sorted(definitions.of(name)):
            if not re.search(rf"\b{error}\b", doc):
                yield f"throws {error}, and does not say so"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {
            "docs/from-python.md": "| `loop.stop()` | the same |\n",
            "src/loop.cpp": "Loop::Loop(int) {\n    throw TypeError(1);\n}\nvoid Loop::fail() {\n    throw ValueError(1);\n}\nvoid Loop::well() {}\nvoid other() {\n    throw KeyError(1);\n}\n",
            "include/asyncio/core/event_loop.h": """namespace asyncio {
/// Runs. Python: asyncio.Loop.
class Loop {
public:
    Coro<> lasting();
    /// It goes wrong.
    void fail();
    void well();
    /// Waits.
    Coro<> waits();
    /// Waits. Cancelling ends it.
    Coro<> ends();
    void stop();
    /// Goes on, and back.
    void next();
    void previous();
    /// Both ways.
    void turn();
    void turn(int angle);
    Loop(int speed);
    bool operator!() const;
    int number = 0;
    int size_in_bytes = 0;  ///< bytes
    std::string text;
    /// For the library.
    void door();
    // For the library.
    void other_door();
};
/// Of nothing.
class Lonely {};
struct Silent {};
}
"""}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = [re.sub(r".*?: ", "", line, count=1) for line in complaints(root)]
        functions = [types.SimpleNamespace(name=name, qualified=name, doc=doc, file="f.h", line=1)
                     for name, doc in (("used", ""), ("unused", ""), ("explained", "```cpp\nexplained();\n```"))]
        unshown = list(not_shown(functions, {"used": ["tutorial"], "unused": [], "explained": []}))
        assert unshown == ["include/f.h:1: unused has no example"], unshown
        classes = [reference.Name("class", "Loop", "f.h", 1, docs=["```cpp\nloop.waits();\n```\n"]),
                   reference.Name("class", "QuickLoop", "f.h", 9, bases=["Loop"]), reference.Name("class", "Other", "g.h", 1)]
        for owner, line, method in ((0, 2, "waits"), (0, 3, "run"), (0, 4, "never"), (1, 10, "run"), (2, 2, "run"), (2, 3, "lonely")):
            member = reference.Name("function", method, classes[owner].file, line, signatures=[f"void {method}()"], scope=classes[owner].name)
            classes[owner].members.append(member)
        unshown = list(members_not_shown(classes, ["QuickLoop l; l.run();", "x.lonely();"]))
        assert unshown == ["include/f.h:4: Loop::never has no example", "include/g.h:2: Other::run has no example"], unshown
    assert found == ["Loop::lasting has no comment", "Loop::fail throws ValueError, and does not say so", "Loop::well has no comment",
                     "Loop::waits does not say what cancelling does", "Loop::stop has no comment", "Loop::previous has no comment",
                     "Loop::Loop throws TypeError, and does not say so", "Loop::number has no comment",
                     "Lonely tells of no counterpart in Python", "Silent has no comment"], found


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    found = list(complaints(pathlib.Path(sys.argv[1] if sys.argv[1:] else build.ROOT).resolve()))
    found += all_not_shown(build.ROOT) if not sys.argv[1:] else []
    print("\n".join(found) or "every public name says what has to be known of it")
    sys.exit(bool(found))
