"""The reference as Markdown: a page for each subject, an anchor for each public name."""
import html
import re

# In the order in which one learns them. tools/check_reference.py wants each header with public names here.
PAGES = {
    "Running": "tasks/run tasks/runner loop/loop_options loop/clock loop/seconds version",
    "Coroutines and awaitables": "core/coroutine core/awaitable core/async_generator core/generator_base core/waiter",
    "Futures and tasks": "core/task core/task_base core/future core/stack tasks/ensure_future",
    "Structured concurrency": "tasks/with tasks/task_group tasks/timeout",
    "Clean-up that is awaited": "tasks/try_finally tasks/async_exit_stack tasks/async_context_managers",
    "Waiting": "tasks/sleep tasks/gather tasks/result tasks/wait_for tasks/wait tasks/as_completed tasks/shield tasks/staggered_race",
    "Threads": "tasks/to_thread tasks/run_coroutine_threadsafe tasks/concurrent_future loop/executor",
    "Synchronisation": "sync/lock sync/event sync/condition sync/semaphore sync/barrier sync/guard",
    "Queues": "sync/queue sync/queue_base",
    "Errors": "errors/exceptions errors/os_errors errors/exception_group errors/repr errors/log errors/builtin_errors core/context_of core/notes core/traceback core/exception_context",
    "Context variables": "context/context",
    "The event loop": "core/event_loop loop/handle loop/io_backend loop/io_operation",
    "Streams": "net/open_connection net/start_server net/server net/stream_reader net/stream_writer net/client_callback net/stream_errors",
    "Transports and protocols": "net/create_connection net/create_server net/protocols net/transports net/protocol_factory "
                                "net/stream_reader_protocol net/sendfile net/start_tls net/tls_option",
    "Datagrams": "net/create_datagram_endpoint net/datagrams",
    "Pipes and descriptors": "net/pipes net/ready",
    "Sockets and names": "net/sock net/socket net/socket_address net/dns net/host_port net/bytes_like net/shared_bytes",
    "Child processes": "process/run_process process/process process/options process/arguments process/subprocess_protocol "
                       "process/subprocess_errors",
    "TLS": "tls/ssl_context tls/ssl_constants tls/ssl_errors tls/ssl_object tls/memory_bio tls/ssl_session tls/peer_certificate",
    "Looking inside": "core/deadlock introspect/call_graph introspect/named introspect/metrics introspect/watchdog core/trace core/dump_tasks",
}
RULES = """
What holds for all of it, unless a name says otherwise:

- **Namespace and header.** All is in namespace `asyncio`. `<asyncio/asyncio.h>` has everything but child processes,
  `<asyncio/subprocess.h>`, TLS, `<asyncio/tls.h>`, and call graphs, `<asyncio/introspect.h>`; the header that a name has beside it is
  enough for it alone.
- **Units.** A time is a `Seconds`: `10ms`, `1s`, or a plain number of seconds. Sizes and limits are bytes.
- **Threads.** Loops, tasks, futures and all that is made on a loop belong to the thread that runs it. From another thread go through
  `call_soon_threadsafe()` or `run_coroutine_threadsafe()`; what else is safe there says so.
- **Waiting.** *awaitable* stands for a type of ours that is good for nothing but one `co_await`, at once. A task that waits goes on in
  the pass of the loop after the one in which its wait ended, as in CPython.
- **Cancelling.** Every wait can be cancelled, and then throws `CancelledError` where it waits. What a name says of it is what has
  happened until then.
- **Errors.** Wrong use throws: `RuntimeError` for a wrong moment or thread, `ValueError` for a wrong value, `TypeError` for a wrong type;
  an empty handle is a `RuntimeError`. Memory that runs out is `std::bad_alloc`.
"""
NOT_AWAITABLE = re.compile(r"detail::(Function|Guard\w*|TransportHandle|LoopCore|Count\b)")


def slug(title):
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def page_of(name):
    stem = name.file.removeprefix("asyncio/").removesuffix(".h")
    return next((title for title, stems in PAGES.items() if stem in stems.split()), None)


def anchor(name):
    return name.qualified.replace("::", ".").replace("operator ", "operator-").replace(" ", "-")


def shown(signature, details):
    """The declaration as a reader needs it: without what only the compiler needs, and types of ours that have no name."""
    signature = re.sub(r"\brequires\s*\([^()]*(\([^()]*\)[^()]*)*\)\s*", "", signature)
    signature = re.sub(r"\brequires\s*!?detail::\w+<[^<>]*(<[^<>]*>[^<>]*)*>\s*", "", signature)
    signature = re.sub(r"\n +", " ", signature)
    lines = signature.split("\n")
    for i, line in enumerate(lines):
        found = re.match(r"((?:static |constexpr |virtual )*)((?:detail::)?(\w+))\b(?=[<\w:, >&]*\s\w+\()", line)
        if found and (found[2].startswith("detail::") or found[3] in details) and not NOT_AWAITABLE.match(found[2]):
            end, depth = found.end(2), 0
            while end < len(line) and (depth or line[end] == "<"):
                depth += {"<": 1, ">": -1}.get(line[end], 0)
                end += 1
            lines[i] = f"{found[1]}awaitable{line[end:]}"
    text = "\n".join(lines)
    text = re.sub(r",\s*std::source_location where = std::source_location::current\(\)", "", text)
    text = re.sub(r"\(std::source_location where = std::source_location::current\(\)\)", "()", text)
    text = re.sub(r"typename detail::(\w+)<", r"detail::\1<", text)
    return "\n".join(wrapped(line) for line in text.split("\n"))


def wrapped(line, width=100):
    """Parameters below one another's first, where they are long."""
    if len(line) <= width or "(" not in line:
        return line
    indent = " " * (line.index("(") + 1 if line.index("(") < 50 else 4)
    lines, rest = [], line
    while len(rest) > width:
        cut = rest.rfind(", ", 0, width)
        if cut < len(indent):
            break
        lines.append(rest[: cut + 1])
        rest = indent + rest[cut + 2 :]
    return "\n".join([*lines, rest])


def rows_of(page):
    """(Python's form, ours) of each row of docs/from-python.md."""
    for line in page.splitlines():
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        if line.startswith("|") and len(cells) == 2 and "---" not in line:
            yield cells[0].strip(), cells[1].strip()


class Reference:
    def __init__(self, names, details, uses, rows=()):
        self.rows = list(rows)
        self.names = [name for name in names if not hidden(name) and page_of(name)]
        self.details = details
        self.uses = uses  # where the docs show a name: qualified name -> [(title, address)]
        self.places = {}  # what may be written -> where it is explained
        for name in self.names:
            self.places.setdefault(name.qualified, (page_of(name), anchor(name)))
        for name in self.names:
            for member in name.members:
                if member.kind != "enumerator" and not hidden(member):
                    self.places.setdefault(f"{name.qualified}::{member.name}", (page_of(name), anchor(member)))

    def linked(self, text, prefix="", here=None):
        """Names in the text as links, outside code blocks and links."""
        def address(word):
            place = self.places.get(word) or (here and self.places.get(f"{here}::{word}"))
            return place and f"{prefix}{slug(place[0])}.md#{place[1]}"

        def code(match):
            word = re.fullmatch(r"(?:asyncio::)?([A-Za-z_][\w:]*)(?:\(\)|<T?>)?", match[1])
            target = word and address(word[1])
            return f"[`{match[1]}`]({target})" if target else match[0]

        def plain(part):
            return re.sub(r"(?<![\w:.#/<-])([A-Z][a-z]+[A-Z]\w+|OSError|EOFError)(?![\w:(<])",
                          lambda match: f"[{match[1]}]({address(match[1])})" if address(match[1]) else match[0], part)

        parts = re.split(r"(^```.*?^```|\[[^\]]*\]\([^)]*\)|`[^`\n]+`)", text, flags=re.S | re.M)
        for i, part in enumerate(parts):
            if part.startswith("`") and not part.startswith("```"):
                parts[i] = re.sub(r"`([^`]+)`", code, part)
            elif i % 2 == 0 and here is not None:
                parts[i] = plain(part)
        return "".join(parts)

    def prose(self, doc, here):
        """A doc comment as Markdown: what C++ has in angle brackets is no HTML."""
        parts = re.split(r"(`[^`]*`)", doc)
        text = "".join(part if part.startswith("`") else html.escape(part, quote=False) for part in parts)
        text = re.sub(r"(?<=\n)(?=[-*] )(?<!\n\n)", "\n", text) if "\n- " in text else text
        text = re.sub(r"(?:^|(?<=[.;)] )|(?<=\n))Python: ", "**Python:** ", text)
        return self.linked(text, here=here)

    def signatures(self, name):
        """Groups of overloads that share a comment: (declarations, comment)."""
        groups = []
        several = [text for text in name.signatures if "Second&& second" not in text or "Third" not in text and not any("First&& first, " in t and "options" in t for t in name.signatures)]
        for signature, doc in zip(name.signatures, name.docs):
            if signature not in several and len(name.signatures) > 2 and "Options options)" in signature:
                continue
            if doc or not groups:
                groups.append(([signature], doc))
            else:
                groups[-1][0].append(signature)
        return groups

    def block(self, name, here):
        out = []
        for signatures, doc in self.signatures(name):
            out.append("```cpp\n" + "\n".join(shown(text, self.details) for text in signatures) + "\n```\n")
            if doc:
                out.append(self.prose(doc, here) + "\n")
        return out

    def python(self, name, member=None):
        """Python's form where the comment does not tell it."""
        if "Python" in (member or name).doc or (member or name).kind not in ("function", "class"):
            return ""
        if member is None:
            pattern = rf"`{name.name}\b" if name.kind == "class" else rf"`(?:co_await )?{name.name}\("
        else:
            words = re.findall(r"[A-Z][a-z]+", name.name) or [name.name]
            pattern = rf"\b(?:{name.name.lower()}|{words[-1].lower()}|{words[-1].lower()[:4]})\.{re.escape(member.name)}\("
        for theirs, ours in self.rows:
            if re.search(pattern, ours):
                forms = [form for form in re.findall(r"`[^`]+`", theirs) if re.search(rf"\b{(member or name).name}\b", form)]
                return f"**Python:** {', '.join(forms) or theirs}\n" if "none" not in theirs and "—" not in theirs else ""
        return ""

    def seen(self, key):
        links = [f"[{title}]({address})" for title, address in self.uses.get(key, [])]
        return "Used in " + ", ".join(links) if links else ""

    def entry(self, name):
        title = name.qualified + ("()" if name.kind == "function" else "")
        out = [f"## `{title}` {{#{anchor(name)}}}\n"]
        out += self.block(name, name.qualified)
        out.append(self.python(name))
        if name.bases:
            out.append("Has all that " + " and ".join(self.linked(f"`{re.sub('<.*', '', base).strip()}`") for base in name.bases) + " has.\n")
        out.append("{.facts}\n".join([f"`<{name.file}>`" + (" · " + self.seen(name.qualified) if self.seen(name.qualified) else "") + "\n", ""]))
        members = [member for member in name.members if not hidden(member)]
        values = [member for member in members if member.kind == "enumerator"]
        if any(value.doc for value in values):
            rows = (f"| `{value.name}` | {self.prose(value.doc, name.qualified)} |".replace("\\|", "&#124;") for value in values)
            out.append("| | |\n|---|---|\n" + "\n".join(rows) + "\n")
        elif values:
            out.append(", ".join(f"`{value.name}`" for value in values) + "\n")
        fields = [member for member in members if member.kind == "variable"]
        if fields:
            out.append("| | | | |\n|---|---|---|---|")
            for member in fields:
                out.append(self.row(member, name))
            out.append("")
        for member in members:
            if member.kind not in ("enumerator", "variable"):
                short = name.name.split("::")[-1]
                if member.name == short and not member.doc and all(text.endswith("= default") for text in member.signatures):
                    continue
                called = "()" if member.kind == "function" and not member.name.startswith("operator") else ""
                out.append(f"### `{short}::{member.name}{called}` {{#{anchor(member)} data-toc-label='{member.name}{called}'}}\n")
                out += self.block(member, name.qualified)
                out.append(self.python(name, member))
                if self.seen(f"{name.qualified}::{member.name}"):
                    out.append(self.seen(f"{name.qualified}::{member.name}") + "\n{.facts}\n")
        return "\n".join(out)

    def row(self, member, name):
        type, _, default = re.sub(r"\s+", " ", member.signatures[0]).replace("|", "\\|").partition(" = ")
        type = re.sub(rf"(?<=\W){member.name}\b ?", "", type, count=1)
        default = f"= `{default}`" if default not in ("", "{}") else ""
        doc = self.prose(member.doc, name.qualified).replace("\n", " ").replace("|", "\\|")
        return f'| <span id="{anchor(member)}"></span>`{member.name}` | `{type.strip()}` | {default} | {doc} |'

    def pages(self):
        """(file, title, text) of each page."""
        every = ["# Every name\n", "All public names, in the alphabet's order.\n"]
        for title in PAGES:
            stems = PAGES[title].split()
            here = sorted((name for name in self.names if page_of(name) == title), key=lambda name: rank(name, stems))
            index = " · ".join(f"[`{name.qualified}`](#{anchor(name)})" for name in here)
            yield f"{slug(title)}.md", title, f"# {title}\n\n{index}\n{{.index}}\n\n" + "\n".join(self.entry(name) for name in here)
        letter = ""
        for name in sorted(self.names, key=lambda name: (name.qualified.lower(), name.qualified)):
            if name.qualified[0].upper() != letter:
                letter = name.qualified[0].upper()
                every.append(f"\n## {letter}\n")
            first = re.split(r"(?<=[.:;]) |\n\n", name.doc.replace("\n", " ") or "")[0].rstrip(":;")
            every.append(f"- [`{name.qualified}`]({slug(page_of(name))}.md#{anchor(name)}) {html.escape(first, quote=False)}")
        yield "names.md", "Every name", "\n".join(every) + "\n"

    def front(self):
        rows = []
        for title in PAGES:
            stems = PAGES[title].split()
            names = [name for name in self.names if page_of(name) == title and rank(name, stems)[1] < 3]
            names.sort(key=lambda name: (rank(name, stems)[1] > 1, rank(name, stems)))
            some = ", ".join(f"[`{name.qualified}`]({slug(title)}.md#{anchor(name)})" for name in names[:9])
            rows.append(f"| [{title}]({slug(title)}.md) | {some}{' …' if len(names) > 9 else ''} |")
        return "# Reference\n" + self.linked(RULES) + "\n| | |\n|---|---|\n" + "\n".join(rows) + "\n\n[Every name](names.md) has them in the alphabet's order.\n"


def rank(name, stems):
    """By header; there what the header is called after, then functions, then types, then what they take and give."""
    stem = name.file.removeprefix("asyncio/").removesuffix(".h")
    if name.name.lower() == stem.split("/")[-1].replace("_", "") or name.name == stem.split("/")[-1]:
        kind = 0
    elif name.name.endswith(("Options", "Option", "Result")) or name.kind == "typedef" or name.scope or name.name == "repr":
        kind = 3
    else:
        kind = 1 if name.kind == "function" else 2
    return stems.index(stem), kind, name.line


def hidden(name):
    return (bool(re.search(r"\b[Ff]or the library\b", name.doc)) or name.signatures[:1] and "using" in name.signatures[0] and "=" not in name.signatures[0]
            or re.fullmatch(r"operator\W+", name.name) and (name.kind != "function" or not name.scope or name.name in ("operator=", "operator==", "operator!=", "operator<"))
            or name.kind == "function" and name.signatures and all(re.search(r"\(\s*(const )?(\w+)\s*&&? ?(other)?\)", text) and name.name == (name.scope or "").split("::")[-1]
                                                                       for text in name.signatures))
