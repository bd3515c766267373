"""asyncio for C++ in gdb: commands `asyncio tasks`, `asyncio bt`, `asyncio frame`, and printers of the public types.

An installed shared library brings it along. Else: (gdb) source tools/debuggers/asyncio_gdb.py

What tasks there are is read by the description that every program has (src/core/description.h), so that needs no debug
information, and works on a core file. The printers, and the variables of a frame, need it. What this imports lies beside it.
"""
import os
import sys

import gdb
import gdb.printing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from asyncio_printers import printer_for, variable_name  # noqa: E402
from asyncio_reader import Reader, Refusal, Unreadable  # noqa: E402


class Memory:
    """Of whatever is debugged now."""

    @staticmethod
    def address_of(symbol):
        try:
            return int(gdb.parse_and_eval(f"(unsigned long)&{symbol}"))
        except gdb.error:
            return None

    @staticmethod
    def read(address, size):
        try:
            return gdb.selected_inferior().read_memory(address, size).tobytes()
        except gdb.MemoryError as error:
            raise Unreadable(error) from error


def gdb_reader():
    return Reader(Memory())


def guarded(function):
    """Damaged memory, and what else there is no answer to, is told in a line."""
    def call(self, argument, from_tty):
        try:
            function(self, argument, from_tty)
        except Refusal as error:
            raise gdb.GdbError(str(error)) from error
        except gdb.MemoryError as error:
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
        for line in gdb_reader().lines_of_tasks():
            print(line)


class BacktraceCommand(gdb.Command):
    """Prints the coroutines of a task, the innermost first: asyncio bt TASK, by name, number or address; asyncio bt: all."""

    def __init__(self):
        super().__init__("asyncio bt", gdb.COMMAND_STACK)

    @guarded
    def invoke(self, argument, from_tty):
        for line in gdb_reader().lines_of_stacks(argument.strip()):
            print(line)


class FrameCommand(gdb.Command):
    """Prints arguments and local variables of a coroutine that is suspended: asyncio frame TASK [NUMBER]

NUMBER as in `asyncio bt TASK`; 0, the innermost, if there is none. The whole frame is $asyncio_frame then. Needs
debug information."""

    def __init__(self):
        super().__init__("asyncio frame", gdb.COMMAND_STACK)

    @guarded
    def invoke(self, argument, from_tty):
        reader = gdb_reader()
        number, frame = reader.find_frame(argument.strip())
        print(frame.text(number))
        value = frame_value(reader, frame)
        if value is None:
            raise gdb.GdbError("its variables are not known: it was compiled without -g")
        gdb.set_convenience_variable("asyncio_frame", value)
        for field in value.type.fields():
            variable = variable_name(field.name)
            if variable is None:
                continue
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


class Printer:
    """As gdb.printing wants it. What is not understood is said to be so."""

    def __init__(self, printer, value, kind):
        self.printer, self.value, self.kind = printer, value, kind

    def to_string(self):
        try:
            return self.printer(gdb_reader, self.value, self.kind)
        except Unreadable as error:
            return f"<not understood: {error.args[0]}>"
        except (gdb.error, Refusal, ValueError, StopIteration) as error:
            return f"<not understood: {error}>"


def printer_of(value):
    kind = value.type.strip_typedefs().unqualified()
    name = kind.tag if kind.code == gdb.TYPE_CODE_STRUCT else None
    printer = printer_for(name)
    return Printer(printer, value, name) if printer else None


def register():
    printer_of.name = "asyncio"
    printer_of.enabled = True
    gdb.printing.register_pretty_printer(None, printer_of, replace=True)
    AsyncioCommand()
    TasksCommand()
    BacktraceCommand()
    FrameCommand()


register()
