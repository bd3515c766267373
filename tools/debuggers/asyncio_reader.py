"""What the description and the memory say of a program that is debugged: loops, tasks, frames, waits. For every debugger.

A debugger gives a memory: address_of(symbol), which is None if there is no such symbol, and read(address, size), which
raises Unreadable. Both may raise another Refusal.
"""
import collections
import re
import struct

VERSION = 1
GROUPS = {  # as in src/core/description.h, in order
    "loop": "next thread is_running is_closed passes current_task tasks last_time timers clock monotonic",
    "timer": "bytes when node",
    "list": "next previous",
    "future": "loop state kind callbacks",
    "node": "run",
    "task": "links node timer_index cancels phase name text identity innermost waiter",
    "frame": "task link function await_at parent",
    "place": "file function line",
    "waiter": "task state kind kind_shift kind_mask subject_at fd line",
    "lock": "owner taken_at",
    "semaphore": "value",
    "queue": "size maxsize unfinished",
    "object_name": "newest next object text",
    "doing": "shift mask",
}
CALLBACKS_AT, CALLBACK_BYTES, CALLBACKS = 40, 16, 10
KINDS = ("something", "a future", "a task", "gather()", "a sleep", "a TaskGroup", "several futures", "a Lock", "an Event",
         "a Condition", "a Semaphore", "a Barrier", "a Queue", "the end of a server", "file descriptor", "the end of process",
         "a call on another thread", "an awaitable of another library")
WRAPPERS = {  # src/errors/function_name.cpp has the same
    "with_statement": "with", "try_except_statement": "try_except", "clean_up": "try_finally",
    "wait_for_in_time": "wait_for", "wait_for_no_time": "wait_for", "close_generator": "AsyncGenerator::aclose",
    "Race::run": "staggered_race", "Race::run_one": "staggered_race", "Race::wait_and_start_next": "staggered_race",
    "wait_until": "staggered_race", "resolve": "getaddrinfo", "getaddrinfo_in_time": "getaddrinfo",
    "sock_connect_to_host": "sock_connect", "send_by_reading": "sock_sendfile",
    "SocketTransport::send_file_behind": "sendfile", "TlsTransport::send_file": "sendfile", "upgrade": "start_tls",
    "upgrade_stream": "StreamWriter::start_tls", "begin_tls": "start_tls", "connect": "create_connection",
    "connect_socket": "create_connection", "make_connection": "create_connection",
    "connect_unix": "create_unix_connection", "accepted_socket": "connect_accepted_socket",
    "open_streams": "open_connection", "open_endpoint": "create_datagram_endpoint",
    "open_first": "create_datagram_endpoint", "open_socket": "create_datagram_endpoint",
    "find_candidates": "create_datagram_endpoint", "connect_to_read": "connect_read_pipe",
    "connect_to_write": "connect_write_pipe", "serve": "create_server", "listen": "create_server",
    "listen_at_path": "create_unix_server", "start_serving_and_pass": "Server::start_serving",
    "serve_until_cancelled": "Server::serve_forever", "close_and_wait": "Server::aexit",
    "start_process": "create_subprocess", "start_child": "create_subprocess", "start_with_protocol": "create_subprocess",
    "SubprocessState::connect_pipes": "create_subprocess", "communicate_with": "subprocess::Process::communicate",
    "feed": "subprocess::Process::communicate", "read_all": "subprocess::Process::communicate",
    "ended": "subprocess::Process::wait", "end_of": "subprocess::Process::wait", "run_to_the_end": "run_process",
    "attend": "run_process", "collect": "run_process", "end_children": "run_process", "ask_to_end": "run_process",
    "in_peace": "run_process",
}
DOINGS = ("", ", to read", ", to write", ", until it is closed")
MOST_TASKS, MOST_FRAMES, MOST_LOOPS = 5_000_000, 100_000, 10_000


class Refusal(Exception):
    """Why there is nothing to show, in a line."""


class Unreadable(Refusal):
    """Its argument is what the debugger says."""

    def __str__(self):
        return f"the memory there cannot be read: {self.args[0]}"


class Frame(collections.namedtuple("Frame", "address function file line")):
    def text(self, number):
        return f"#{number} {self.address:#x} in {self.function} at {self.file}:{self.line}"


class Task:
    """One that is not done."""

    def __init__(self, address, name, identity, state, frames, wait, cancels):
        self.address, self.name, self.identity, self.state = address, name, identity, state
        self.frames, self.wait, self.cancels = frames, wait, cancels  # the innermost frame first

    def line(self):
        place = next((frame for frame in self.frames if not frame.function.startswith("asyncio::")), None)
        place = place or (self.frames[0] if self.frames else None)
        at = f" at {place.file}:{place.line}" if place and place.file else ""
        stack = " -> ".join(frame.function for frame in reversed(self.frames[:20]))
        cancelling = ", cancelling" if self.cancels else ""
        waits = f", waits for {self.wait}" if self.wait else ""
        return f"{'*' if self.state == 'runs' else ' '} {self.name!r} {self.state}{cancelling}: {stack}{at}{waits}"


def short_name(signature):
    """`asyncio::Coro<> ns::f(int)` is ns::f."""
    signature = re.sub(r" \[with .*", "", signature)
    signature = re.sub(r"<lambda\([^()]*\)>", "<lambda>", signature).replace("(anonymous class)", "<lambda>")
    signature = re.sub(r"\([^()]*\)( const)?::", lambda match: "::" if match[0] != "(anonymous namespace)::" else match[0], signature)
    depth, end = 0, len(signature)
    for i in range(len(signature) - 1, -1, -1) if not signature.endswith(">") else ():  # the brackets of the parameters
        depth += (signature[i] == ")") - (signature[i] == "(")
        if signature[i] == "(" and depth == 0:
            end = i
            break
    depth, begin = 0, 0
    for i in range(end - 1, -1, -1):
        depth += (signature[i] in ">)}") - (signature[i] in "<({")
        if signature[i] == " " and depth == 0:
            begin = i + 1
            break
    name = re.sub(r"\(anonymous (namespace|class)\)::|\{anonymous\}::", "", signature[begin:end])
    name = name.replace("::operator()", "")
    if name.startswith("asyncio::detail::"):
        name = "asyncio::" + WRAPPERS.get(name[17:], name[17:])
    return name or signature


class Reader:
    """What the description and the memory say, of whatever is debugged now."""

    def __init__(self, memory):
        self.memory = memory
        # In a unity build gdb takes the first for one that is only declared.
        self.at = memory.address_of("asyncio_inspect_v1") or memory.address_of("asyncio_inspect_description")
        if self.at is None:
            raise Refusal("this program has no asyncio for C++ in it, or has not begun yet, or its symbols were "
                          "stripped: asyncio-inspect does without them")
        try:
            header = self.bytes(self.at, CALLBACKS_AT)
        except Unreadable as error:
            raise Refusal("there is no process and no core file") from error
        magic, version, size, self.pointer, is_little, self.strings, _, _, self.loops_at, _ = struct.unpack("<8sIIBBBBIQQ", header)
        if magic != b"asyncio\0":
            raise Refusal("the program has not begun yet")
        if version != VERSION or not is_little or self.pointer != 8:
            raise Refusal(f"the program's asyncio describes itself in version {version}, for another kind of machine "
                          f"or for another version of this script")
        count = sum(len(names.split()) for names in GROUPS.values())
        begin = CALLBACKS_AT + CALLBACKS * CALLBACK_BYTES
        raw = self.bytes(self.at + begin, min(2 * count, size - begin)).ljust(2 * count, b"\0")  # an older library's is shorter
        numbers = iter(struct.unpack(f"<{count}H", raw))
        for group, names in GROUPS.items():
            fields = names.split()
            setattr(self, group, collections.namedtuple(group, fields)(*(next(numbers) for _ in fields)))

    def bytes(self, address, size):
        if not 0 <= address <= address + size <= 1 << 64:  # a damaged pointer, or size
            raise Unreadable(f"Cannot access memory at address {address:#x}")
        found = self.memory.read(address, size) if size else b""
        if len(found) != size:
            raise Unreadable(f"Cannot access memory at address {address:#x}")
        return found

    def number(self, address, form):
        return struct.unpack("<" + form, self.bytes(address, struct.calcsize(form)))[0]

    def word(self, address):
        return self.number(address, "Q")

    def text(self, address, most=2000):
        found = b""
        while address and len(found) < most:
            piece = self.bytes(address, 64 - address % 64)
            found += piece
            address += len(piece)
            if b"\0" in piece:
                break
        return found.split(b"\0")[0].decode(errors="backslashreplace")

    def string(self, address):
        begin, size, last = struct.unpack("<QQQ", self.bytes(address, 24))
        if self.strings == 2:  # libc++
            begin, size = (last, size) if begin & 1 else (address + 1, (begin & 0xff) >> 1)
        elif self.strings != 1:
            return "?"
        return self.bytes(begin, min(size, 500)).decode(errors="backslashreplace")

    def loops(self):
        loop, seen = self.word(self.loops_at), []
        while loop and loop not in seen and len(seen) < MOST_LOOPS:
            seen.append(loop)
            loop = self.word(loop + self.loop.next)
        return seen[::-1]

    def addresses_of_tasks(self, loop):
        head = loop + self.loop.tasks
        links, count = self.word(head + self.list.next), 0
        while links not in (head, 0) and count < MOST_TASKS:
            yield links - self.task.links
            links, count = self.word(links + self.list.next), count + 1

    def tasks(self, loop):
        for address in self.addresses_of_tasks(loop):
            task = self.read_task(address)
            if task:
                yield task

    def name(self, address):
        word = self.word(address + self.task.name)
        if word & 1:
            return f"Task-{word >> 1}", word
        if not word:
            return "?", 0
        text, identity = self.string(word + self.task.text), self.word(word + self.task.identity)
        return (f"Task-{identity >> 1}" if not text and identity & 1 else text), identity  # in debug mode it has a number there

    def read_task(self, address):
        if self.number(address + self.future.state, "B") != 0:
            return None
        name, identity = self.name(address)
        phase = self.number(address + self.task.phase, "B")
        state = ("new", "runs", "ready", "ends")[min(phase, 3)]
        wait = None
        waiter = self.word(address + self.task.waiter)
        if phase == 2 and waiter and self.number(waiter + self.waiter.state, "B") == 0:
            state, wait = "waits", self.read_wait(waiter)
        frames = list(self.frames(self.word(address + self.task.innermost)))
        return Task(address, name, identity, state, frames, wait, self.number(address + self.task.cancels, "H"))

    def frames(self, frame):
        for _ in range(MOST_FRAMES):
            if not frame:
                return
            function = self.word(frame + self.frame.function)
            await_at = self.word(frame + self.frame.await_at)
            link = self.word(frame + self.frame.link)
            file, line = "", 0
            if not await_at & 1:  # else it has failed, and that is its exception
                file, line = self.text(self.word(await_at + self.place.file)), self.number(await_at + self.place.line, "I")
            yield Frame(frame, short_name(self.text(self.word(function + self.place.function))), file, line)
            frame = self.word(link + self.frame.parent) if link else 0

    def read_wait(self, waiter):
        kind = self.number(waiter + self.waiter.kind, "B") >> self.waiter.kind_shift & self.waiter.kind_mask
        where = self.number(waiter + self.waiter.subject_at, "B")
        subject = waiter + (where & 0x7f) * self.pointer
        if not where & 0x80:
            subject = self.word(subject) if where else 0
        text = KINDS[kind] if kind < len(KINDS) else "?"
        if kind in (14, 15):
            doing = self.number(waiter + self.waiter.kind, "B") >> self.doing.shift & self.doing.mask if kind == 14 else 0
            return f"{text} {self.number(waiter + self.waiter.fd, 'i')}{DOINGS[doing & 3]}"
        if kind == 1:
            which = self.number(subject + self.future.kind, "B")
            if which:
                return f"task {self.name(subject)[0]!r}" if which == 1 else KINDS[3]
        if kind == 7 and self.word(subject + self.lock.owner):
            owner = self.word(subject + self.lock.owner)
            return f"{text}{self.object_name_of(subject)} at {subject:#x} that {self.holder(owner)} holds"
        return text + (f"{self.object_name_of(subject)} at {subject:#x}" if subject and kind not in (4, 6) else "")

    def object_name_of(self, subject):
        """What the program called a lock, queue or the like."""
        name = self.word(self.loops_at + self.object_name.newest) if self.object_name.newest else 0
        for _ in range(MOST_LOOPS):
            if not name:
                break
            if self.word(name + self.object_name.object) == subject:
                return f" {self.string(name + self.object_name.text)!r}"
            name = self.word(name + self.object_name.next)
        return ""

    def holder(self, identity):
        for loop in self.loops():
            for address in self.addresses_of_tasks(loop):
                name, found = self.name(address)
                if found == identity:
                    return repr(name)
        return "a task that is over"

    def find(self, what):
        """By name, by number or by address."""
        found = [task for loop in self.loops() for task in self.tasks(loop)
                 if what in (task.name, hex(task.address)) or task.name == f"Task-{what}"]
        if not found:
            raise Refusal(f"there is no task {what!r}: `asyncio tasks` has them all")
        if len(found) > 1:
            names = ", ".join(hex(task.address) for task in found)
            raise Refusal(f"{len(found)} tasks are called {what!r}: say which by its address, {names}")
        return found[0]

    def lines_of_tasks(self):
        """What `asyncio tasks` prints."""
        loops = self.loops()
        if not loops:
            yield "no loop"
        for loop in loops:
            running = self.number(loop + self.loop.is_running, "B")
            thread = self.number(loop + self.loop.thread, "I")
            yield f"loop at {loop:#x}" + (f", in thread {thread}" if running else ", not running")
            for task in self.tasks(loop):
                yield task.line()

    def lines_of_stacks(self, what):
        """What `asyncio bt` prints: of one task, or of all."""
        for task in [self.find(what)] if what else (task for loop in self.loops() for task in self.tasks(loop)):
            yield task.line()
            for number, frame in enumerate(task.frames):
                yield f"  {frame.text(number)}"

    def find_frame(self, argument):
        """Number and frame for the arguments of `asyncio frame`."""
        name, number = argument, 0
        words = argument.rsplit(None, 1)
        if not words:
            raise Refusal("asyncio frame TASK [NUMBER]")
        if len(words) == 2 and words[1].isdigit():
            name, number = words[0], int(words[1])
        task = self.find(name)
        if number >= len(task.frames):
            raise Refusal(f"task {task.name!r} has {len(task.frames)} coroutines")
        return number, task.frames[number]
