"""How gdb prints the public types of asyncio for C++. For asyncio_gdb.py."""
import re
import struct

import gdb

from asyncio_gdb_reader import Reader


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


def count_list(items):
    """How many are in an IntrusiveList."""
    head, total = items["head_"], 0
    node = head["next"]
    while int(node) not in (0, int(head.address)) and total < 100_000:
        node, total = node["next"], total + 1
    return total


def count_line(queue):
    """How many are in a WaitQueue."""
    return sum(count_list(queue[name]) for name in ("line_", "woken_", "cancelled_"))


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


class ConditionPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        owner = int(self.value["lock_"].dereference()["owner_"])
        text = f"Condition, {Reader().holder(owner)} has its Lock" if owner else "Condition, its Lock is unlocked"
        return f"{text}, waiters:{count_line(self.value['waiters_'])}"


class BarrierPrinter:
    PHASES = ("filling", "draining", "resetting", "broken")

    def __init__(self, value):
        self.value = value

    def to_string(self):
        phase = int(self.value["phase_"])
        inside = f", waiters:{int(self.value['count_'])}/{int(self.value['parties_'])}" if phase != 3 else ""
        return f"Barrier {self.PHASES[phase]}{inside}"


class TaskGroupPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        failed = count_list(self.value["failed_"])
        state = "cancelling" if self.value["aborting_"] else "entered" if self.value["entered_"] else "not entered"
        return f"TaskGroup {state}, tasks:{count_list(self.value['members_'])}" + (f", errors:{failed}" if failed else "")


class EventLoopPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        reader, loop = Reader(), int(self.value["core_"])
        if reader.number(loop + reader.loop.is_closed, "B"):
            return f"EventLoop at {loop:#x}, closed"
        running = reader.number(loop + reader.loop.is_running, "B")
        state = f"in thread {reader.number(loop + reader.loop.thread, 'I')}" if running else "not running"
        return f"EventLoop at {loop:#x}, {state}, tasks:{sum(1 for _ in reader.tasks(loop))}"


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
            ("asyncio::(Bounded)?Semaphore", SemaphorePrinter), ("asyncio::(|Priority|Lifo)Queue<.*>", QueuePrinter),
            ("asyncio::Condition", ConditionPrinter), ("asyncio::Barrier", BarrierPrinter),
            ("asyncio::TaskGroup", TaskGroupPrinter), ("asyncio::EventLoop", EventLoopPrinter))


def printer_of(value):
    kind = value.type.strip_typedefs().unqualified()
    name = kind.tag if kind.code == gdb.TYPE_CODE_STRUCT else None
    for pattern, printer in PRINTERS if name and name.startswith("asyncio::") else ():
        if re.fullmatch(pattern, name):
            return CarefulPrinter(printer(value))
    return None
