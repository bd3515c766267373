"""How a debugger prints the public types of asyncio for C++.

A value is what gdb.Value is, as far as it is used here: value["member"], int(value), bool(value), value.address,
value.dereference(). `reader` makes a Reader: not all need one.
"""
import re


def handle(reader, value, kind):
    """Of a future or task: a pointer to what handles share."""
    reader = reader()
    address = reader.word(int(value.address))
    kind = re.sub(r"^asyncio::|<.*", "", kind)
    if address == 0:
        return f"{kind}, empty"
    state = ("pending", "finished", "cancelled", "?")[min(reader.number(address + reader.future.state, "B"), 3)]
    if reader.number(address + reader.future.kind, "B") != 1:
        return f"{kind} {state}"
    text = f"{kind} {state} {reader.name(address)[0]!r}"
    task = reader.read_task(address) if state == "pending" else None
    return f"{text}: {task.line().split(': ', 1)[1]}" if task else text


def coro(reader, value, _):
    reader = reader()
    frame = reader.word(int(value.address))
    return f"Coro of {next(reader.frames(frame)).function}, not awaited yet" if frame else "Coro, empty"


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


def lock(reader, value, _):
    owner = int(value["owner_"])
    text = f"Lock that {reader().holder(owner)} holds" if owner else "Lock, unlocked"
    return f"{text}, waiters:{count_line(value['waiters_'])}"


def event(_, value, __):
    return f"Event {'set' if value['is_set_'] else 'unset'}, waiters:{count_line(value['waiters_'])}"


def semaphore(_, value, __):
    return f"Semaphore value:{int(value['value_'])}, waiters:{count_line(value['waiters_'])}"


def queue(_, value, __):
    size, most = int(value["size_"]), int(value["maxsize_"])
    return f"Queue items:{size}" + (f"/{most}" if most > 0 else "") + f", unfinished:{int(value['unfinished_'])}"


def condition(reader, value, _):
    owner = int(value["lock_"].dereference()["owner_"])
    text = f"Condition, {reader().holder(owner)} has its Lock" if owner else "Condition, its Lock is unlocked"
    return f"{text}, waiters:{count_line(value['waiters_'])}"


def barrier(_, value, __):
    phase = int(value["phase_"])
    inside = f", waiters:{int(value['count_'])}/{int(value['parties_'])}" if phase != 3 else ""
    return f"Barrier {('filling', 'draining', 'resetting', 'broken')[phase]}{inside}"


def task_group(_, value, __):
    failed = count_list(value["failed_"])
    state = "cancelling" if value["aborting_"] else "entered" if value["entered_"] else "not entered"
    return f"TaskGroup {state}, tasks:{count_list(value['members_'])}" + (f", errors:{failed}" if failed else "")


def event_loop(reader, value, _):
    reader, loop = reader(), int(value["core_"])
    if reader.number(loop + reader.loop.is_closed, "B"):
        return f"EventLoop at {loop:#x}, closed"
    running = reader.number(loop + reader.loop.is_running, "B")
    state = f"in thread {reader.number(loop + reader.loop.thread, 'I')}" if running else "not running"
    return f"EventLoop at {loop:#x}, {state}, tasks:{sum(1 for _ in reader.tasks(loop))}"


PRINTERS = (("asyncio::(Task|Future)<.*>|asyncio::(AnyTask|AnyFuture)", handle), ("asyncio::Coro<.*>", coro),
            ("asyncio::Lock", lock), ("asyncio::Event", event),
            ("asyncio::(Bounded)?Semaphore", semaphore), ("asyncio::(Priority|Lifo)?Queue<.*>", queue),
            ("asyncio::Condition", condition), ("asyncio::Barrier", barrier),
            ("asyncio::TaskGroup", task_group), ("asyncio::EventLoop", event_loop))


def printer_for(kind):
    """What prints the type of that name, or None."""
    for pattern, printer in PRINTERS if kind and kind.startswith("asyncio::") else ():
        if re.fullmatch(pattern, kind):
            return printer
    return None


def variable_name(field):
    """What the program's author called the member of a coroutine's frame, or None: it is the compiler's own."""
    if field is None or field.startswith(("_Coro_", "__coro", "__promise", "D.")) or field == "__closure":
        return None
    plain = re.sub(r"_\d+_\d+$", "", field)  # g++: how deep, and where
    if plain in ("Is", "Fs") or re.fullmatch(r"this|_[_A-Z].*|(Aw|Yd|T)\d+|(class|struct|union|PointerType)_.*", plain):
        return None
    return plain
