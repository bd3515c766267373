"""asyncio for C++ in gdb: commands `asyncio tasks`, `asyncio bt`, `asyncio frame`, and printers of the public types.

An installed shared library brings it along. Else: (gdb) source tools/gdb/asyncio_gdb.py

What tasks there are is read by the description that every program has (src/core/description.h), so that needs no debug
information, and works on a core file. The printers, and the variables of a frame, need it. The other two files lie beside this one.
"""
import os
import re
import struct
import sys

import gdb
import gdb.printing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from asyncio_gdb_printers import printer_of  # noqa: E402
from asyncio_gdb_reader import Reader  # noqa: E402


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


def register():
    printer_of.name = "asyncio"
    printer_of.enabled = True
    gdb.printing.register_pretty_printer(None, printer_of, replace=True)
    AsyncioCommand()
    TasksCommand()
    BacktraceCommand()
    FrameCommand()


register()
