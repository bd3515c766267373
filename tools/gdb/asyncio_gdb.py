"""asyncio for C++ in gdb: commands `asyncio tasks`, `asyncio bt`, `asyncio frame`, and printers of the public types.

An installed shared library brings it along. Else: (gdb) source tools/gdb/asyncio_gdb.py

What tasks there are is read by the description that every program has (src/core/description.h), so that needs no debug
information, and works on a core file. The printers, and the variables of a frame, need it.
"""
import collections
import re
import struct

import gdb
import gdb.printing

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
}
CALLBACKS_AT, CALLBACK_BYTES, CALLBACKS = 40, 16, 10
KINDS = ("something", "a future", "a task", "gather()", "a sleep", "a TaskGroup", "several futures", "a Lock", "an Event",
         "a Condition", "a Semaphore", "a Barrier", "a Queue", "the end of a server's connections", "file descriptor",
         "the end of process", "a call on another thread", "an awaitable of another library")
WRAPPERS = {"with_statement": "with", "wait_for_in_time": "wait_for", "wait_for_no_time": "wait_for"}
MOST_TASKS, MOST_FRAMES, MOST_LOOPS = 5_000_000, 100_000, 10_000

Frame = collections.namedtuple("Frame", "address function file line")


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

    def __init__(self):
        try:
            self.at = int(gdb.parse_and_eval("(unsigned long)&asyncio_inspect_v1"))
        except gdb.error as error:
            raise gdb.GdbError("this program has no asyncio for C++ in it, or has not begun yet, or its symbols were "
                               "stripped: asyncio-inspect does without them") from error
        try:
            header = self.bytes(self.at, CALLBACKS_AT)
        except gdb.MemoryError as error:
            raise gdb.GdbError("there is no process and no core file") from error
        magic, version, size, self.pointer, is_little, self.strings, _, _, self.loops_at, _ = struct.unpack("<8sIIBBBBIQQ", header)
        if magic != b"asyncio\0":
            raise gdb.GdbError("the program has not begun yet")
        if version != VERSION or not is_little or self.pointer != 8:
            raise gdb.GdbError(f"the program's asyncio describes itself in version {version}, for another kind of machine "
                               f"or for another version of this script")
        count = sum(len(names.split()) for names in GROUPS.values())
        raw = self.bytes(self.at + CALLBACKS_AT + CALLBACKS * CALLBACK_BYTES, 2 * count)
        numbers = iter(struct.unpack(f"<{count}H", raw))
        for group, names in GROUPS.items():
            fields = names.split()
            setattr(self, group, collections.namedtuple(group, fields)(*(next(numbers) for _ in fields)))

    @staticmethod
    def bytes(address, size):
        return gdb.selected_inferior().read_memory(address, size).tobytes()

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

    def tasks(self, loop):
        head = loop + self.loop.tasks
        links, count = self.word(head + self.list.next), 0
        while links not in (head, 0) and count < MOST_TASKS:
            task = self.read_task(links - self.task.links)
            if task:
                yield task
            links, count = self.word(links + self.list.next), count + 1

    def name(self, address):
        word = self.word(address + self.task.name)
        if word & 1:
            return f"Task-{word >> 1}", word
        return (self.string(word + self.task.text), self.word(word + self.task.identity)) if word else ("?", 0)

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
            if not link & 1:  # else it has failed, and that is its exception
                file, line = self.text(self.word(await_at + self.place.file)), self.number(await_at + self.place.line, "I")
            yield Frame(frame, short_name(self.text(self.word(function + self.place.function))), file, line)
            link &= ~1
            frame = self.word(link + self.frame.parent) if link else 0

    def read_wait(self, waiter):
        kind = self.number(waiter + self.waiter.kind, "B") >> self.waiter.kind_shift & self.waiter.kind_mask
        where = self.number(waiter + self.waiter.subject_at, "B")
        subject = waiter + (where & 0x7f) * self.pointer
        if not where & 0x80:
            subject = self.word(subject) if where else 0
        text = KINDS[kind] if kind < len(KINDS) else "?"
        if kind in (14, 15):
            return f"{text} {self.number(waiter + self.waiter.fd, 'i')}"
        if kind == 1:
            which = self.number(subject + self.future.kind, "B")
            if which:
                return f"task {self.name(subject)[0]!r}" if which == 1 else KINDS[3]
        if kind == 7 and self.word(subject + self.lock.owner):
            owner = self.word(subject + self.lock.owner)
            return f"{text} at {subject:#x} that {self.holder(owner)} holds"
        return text + (f" at {subject:#x}" if subject and kind not in (4, 6) else "")

    def holder(self, identity):
        for loop in self.loops():
            head = loop + self.loop.tasks
            links = self.word(head + self.list.next)
            while links not in (head, 0):
                name, found = self.name(links - self.task.links)
                if found == identity:
                    return repr(name)
                links = self.word(links + self.list.next)
        return "a task that is over"

    def find(self, what):
        """By name, by number or by address."""
        found = [task for loop in self.loops() for task in self.tasks(loop)
                 if what in (task.name, hex(task.address)) or task.name == f"Task-{what}"]
        if not found:
            raise gdb.GdbError(f"there is no task {what!r}: `asyncio tasks` has them all")
        if len(found) > 1:
            names = ", ".join(hex(task.address) for task in found)
            raise gdb.GdbError(f"{len(found)} tasks are called {what!r}: say which by its address, {names}")
        return found[0]


def guarded(function):
    """Damaged memory is told in a line."""
    def call(self, argument, from_tty):
        try:
            function(self, argument, from_tty)
        except (gdb.MemoryError, struct.error) as error:
            raise gdb.GdbError(f"the memory there cannot be read: {error}") from error
    return call


class AsyncioCommand(gdb.Command):
    """Tasks of asyncio for C++: `asyncio tasks`, `asyncio bt TASK`, `asyncio frame TASK NUMBER`."""

    def __init__(self):
        super().__init__("asyncio", gdb.COMMAND_STACK, prefix=True)


class TasksCommand(gdb.Command):
    """Lists the tasks of all loops that are not done, with what they wait for.

`*` is before one whose step is under way."""

    def __init__(self):
        super().__init__("asyncio tasks", gdb.COMMAND_STACK)

    @guarded
    def invoke(self, argument, from_tty):
        reader = Reader()
        loops = reader.loops()
        if not loops:
            print("no loop")
        for loop in loops:
            running = reader.number(loop + reader.loop.is_running, "B")
            thread = reader.number(loop + reader.loop.thread, "I")
            print(f"loop at {loop:#x}" + (f", in thread {thread}" if running else ", not running"))
            for task in reader.tasks(loop):
                print(task.line())


class BacktraceCommand(gdb.Command):
    """Prints the coroutines of a task, the innermost first: asyncio bt TASK, by name, number or address; asyncio bt: all."""

    def __init__(self):
        super().__init__("asyncio bt", gdb.COMMAND_STACK)

    @guarded
    def invoke(self, argument, from_tty):
        reader = Reader()
        tasks = [reader.find(argument.strip())] if argument.strip() else [task for loop in reader.loops() for task in reader.tasks(loop)]
        for task in tasks:
            print(task.line())
            for number, frame in enumerate(task.frames):
                print(f"  #{number} {frame.address:#x} in {frame.function} at {frame.file}:{frame.line}")


class FrameCommand(gdb.Command):
    """Prints arguments and local variables of a coroutine that is suspended: asyncio frame TASK [NUMBER]

NUMBER as in `asyncio bt TASK`; 0, the innermost, if there is none. The whole frame is $asyncio_frame then. Needs
debug information."""

    def __init__(self):
        super().__init__("asyncio frame", gdb.COMMAND_STACK)

    @guarded
    def invoke(self, argument, from_tty):
        words = argument.strip().rsplit(None, 1)
        if not words:
            raise gdb.GdbError("asyncio frame TASK [NUMBER]")
        reader = Reader()
        number = 0
        name = argument.strip()
        if len(words) == 2 and words[1].isdigit():
            name, number = words[0], int(words[1])
        task = reader.find(name)
        if number >= len(task.frames):
            raise gdb.GdbError(f"task {task.name!r} has {len(task.frames)} coroutines")
        frame = task.frames[number]
        print(f"#{number} {frame.address:#x} in {frame.function} at {frame.file}:{frame.line}")
        value = frame_value(reader, frame)
        if value is None:
            raise gdb.GdbError("its variables are not known: it was compiled without -g")
        gdb.set_convenience_variable("asyncio_frame", value)
        for variable, field in variables(value):
            content = value[field]
            if content.type.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
                content = content.referenced_value()
            print(f"{variable} = {content.format_string(max_depth=3)}")


def frame_value(reader, frame):
    """The frame as a value of the type that the compiler made for it, or None. Its first word is the function that resumes it."""
    resume = reader.word(frame.address)
    block = gdb.block_for_pc(resume)
    while block is not None and block.function is None:
        block = block.superblock
    if block is None:
        return None
    for symbol in block:
        is_frame = symbol.is_argument or symbol.name == "__coro_frame"
        kind = symbol.type
        if is_frame and kind.code == gdb.TYPE_CODE_PTR and symbol.name in ("frame_ptr", "__coro_frame"):
            return gdb.Value(frame.address).cast(kind).dereference()
        if is_frame and kind.code == gdb.TYPE_CODE_STRUCT:  # clang's
            return gdb.Value(frame.address).cast(kind.pointer()).dereference()
    return None


def variables(value):
    """Name and field of what the program's author called something."""
    for field in value.type.fields():
        name = field.name
        if name is None or name.startswith(("_Coro_", "__coro", "__promise", "D.")) or name == "__closure":
            continue
        plain = re.sub(r"_\d+_\d+$", "", name)  # g++: how deep, and where
        if plain in ("Is", "Fs") or re.fullmatch(r"this|__.*|(Aw|Yd|T)\d+|(class|struct|union|PointerType)_.*", plain):
            continue
        yield plain, field


# Printers of the public types.

def handle_text(kind, value):
    """A handle of a future or task: `value` is the pointer to what handles share."""
    address = int(value)
    if address == 0:
        return f"{kind}, empty"
    reader = Reader()
    state = ("pending", "finished", "cancelled", "?")[min(reader.number(address + reader.future.state, "B"), 3)]
    if reader.number(address + reader.future.kind, "B") != 1:
        return f"{kind} {state}"
    text = f"{kind} {state} {reader.name(address)[0]!r}"
    task = reader.read_task(address) if state == "pending" else None
    return f"{text}: {task.line().split(': ', 1)[1]}" if task else text


def pointer_in(value):
    """The first pointer in an object, which is one."""
    return value.address.cast(gdb.lookup_type("unsigned long").pointer()).dereference()


class HandlePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        kind = re.sub(r"^asyncio::|<.*", "", self.value.type.strip_typedefs().unqualified().tag)
        return handle_text(kind, pointer_in(self.value))


class CoroPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        frame = int(pointer_in(self.value))
        if frame == 0:
            return "Coro, empty"
        reader = Reader()
        return f"Coro of {next(reader.frames(frame)).function}, not awaited yet"


def count_line(queue):
    """How many are in a WaitQueue."""
    total = 0
    for name in ("line_", "woken_", "cancelled_"):
        head = queue[name]["head_"]
        node = head["next"]
        while int(node) not in (0, int(head.address)) and total < 100_000:
            node, total = node["next"], total + 1
    return total


class LockPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        owner = int(self.value["owner_"])
        text = f"Lock that {Reader().holder(owner)} holds" if owner else "Lock, unlocked"
        return f"{text}, waiters:{count_line(self.value['waiters_'])}"


class EventPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"Event {'set' if self.value['is_set_'] else 'unset'}, waiters:{count_line(self.value['waiters_'])}"


class SemaphorePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"Semaphore value:{int(self.value['value_'])}, waiters:{count_line(self.value['waiters_'])}"


class QueuePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        size, most = int(self.value["size_"]), int(self.value["maxsize_"])
        return f"Queue items:{size}" + (f"/{most}" if most > 0 else "") + f", unfinished:{int(self.value['unfinished_'])}"


class CarefulPrinter:
    """What a printer does not understand is printed as gdb would."""

    def __init__(self, printer):
        self.printer = printer

    def to_string(self):
        try:
            return self.printer.to_string()
        except (gdb.error, gdb.GdbError, struct.error, ValueError, StopIteration) as error:
            return f"<not understood: {error}>"


PRINTERS = (("asyncio::(Task|Future)<.*>|asyncio::(AnyTask|AnyFuture)", HandlePrinter), ("asyncio::Coro<.*>", CoroPrinter),
            ("asyncio::Lock", LockPrinter), ("asyncio::Event", EventPrinter),
            ("asyncio::(Bounded)?Semaphore", SemaphorePrinter), ("asyncio::(|Priority|Lifo)Queue<.*>", QueuePrinter))


def printer_of(value):
    kind = value.type.strip_typedefs().unqualified()
    name = kind.tag if kind.code == gdb.TYPE_CODE_STRUCT else None
    for pattern, printer in PRINTERS if name and name.startswith("asyncio::") else ():
        if re.fullmatch(pattern, name):
            return CarefulPrinter(printer(value))
    return None


def register():
    printer_of.name = "asyncio"
    printer_of.enabled = True
    gdb.printing.register_pretty_printer(None, printer_of, replace=True)
    AsyncioCommand()
    TasksCommand()
    BacktraceCommand()
    FrameCommand()


register()
