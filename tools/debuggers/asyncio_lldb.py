"""asyncio for C++ in lldb: commands `asyncio tasks`, `asyncio bt`, `asyncio frame`, and summaries of the public types.

(lldb) command script import tools/debuggers/asyncio_lldb.py

As in gdb: asyncio_gdb.py says what of it needs debug information. lldb 14 and 19 are tested; before 14 commands could not
have two words.
"""
import os
import sys

import lldb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from asyncio_printers import PRINTERS, printer_for, variable_name  # noqa: E402
from asyncio_reader import Reader, Refusal, Unreadable  # noqa: E402


class Memory:
    """Of the process or core file that is selected."""

    def __init__(self, target):
        self.target = target

    def address_of(self, symbol):
        found = [context.GetSymbol() for context in self.target.FindSymbols(symbol)]
        if not found:
            return None
        state = self.target.process.GetState() if self.target.process else lldb.eStateUnloaded
        if state in (lldb.eStateRunning, lldb.eStateStepping):
            raise Refusal("the program runs: `process interrupt` stops it")
        if state in (lldb.eStateExited, lldb.eStateDetached):
            raise Refusal("there is no process and no core file")
        places = (one.GetStartAddress().GetLoadAddress(self.target) for one in found)
        place = next((place for place in places if place != lldb.LLDB_INVALID_ADDRESS), None)
        if place is None:
            raise Refusal("the program has not begun yet")
        return place

    def read(self, address, size):
        error = lldb.SBError()
        found = self.target.ReadMemory(lldb.SBAddress(address, self.target), size, error)  # constants also of the program's file
        if error.Fail() or not found:
            raise Unreadable(f"Cannot access memory at address {address:#x}")
        return found


class Command:
    def __init__(self, debugger, internal_dict):
        pass

    def __call__(self, debugger, argument, context, result):
        try:
            for line in self.lines(context.target, Reader(Memory(context.target)), argument.strip()):
                result.AppendMessage(line)
        except Refusal as error:
            result.SetError(str(error))

    def get_short_help(self):
        return self.__doc__.splitlines()[0]

    def get_long_help(self):
        return self.__doc__


class TasksCommand(Command):
    """Lists the tasks of all loops that are not done, with what they wait for.

`*` is before one whose step is under way."""

    def lines(self, _, reader, __):
        return reader.lines_of_tasks()


class BacktraceCommand(Command):
    """Prints the coroutines of a task, the innermost first: asyncio bt TASK, by name, number or address; asyncio bt: all."""

    def lines(self, _, reader, argument):
        return reader.lines_of_stacks(argument)


class FrameCommand(Command):
    """Prints arguments and local variables of a coroutine that is suspended: asyncio frame TASK [NUMBER]

NUMBER as in `asyncio bt TASK`; 0, the innermost, if there is none. Needs debug information."""

    def lines(self, target, reader, argument):
        number, frame = reader.find_frame(argument)
        yield frame.text(number)
        value = frame_value(target, reader, frame)
        if value is None:
            raise Refusal("its variables are not known: it was compiled without -g")
        for content in value:
            variable = variable_name(content.name)
            if variable is None:
                continue
            content = content.Dereference() if content.type.IsReferenceType() else content
            yield f"{variable} = {str(content).partition(' = ')[2] or '?'}"


def frame_value(target, reader, frame):
    """The frame as a value of the type that the compiler made for it, or None. Its first word is the function that resumes it."""
    function = lldb.SBAddress(reader.word(frame.address), target).function
    for variable in function.block.GetVariables(target, True, True, False) if function else ():
        kind = variable.type
        if variable.name in ("frame_ptr", "__coro_frame"):
            kind = kind.GetPointeeType() if kind.IsPointerType() else kind
            return target.CreateValueFromAddress("frame", lldb.SBAddress(frame.address, target), kind)
    return None


class Value:
    """What printers take, of an SBValue."""

    def __init__(self, value):
        self.value = value.GetNonSyntheticValue()

    def __getitem__(self, name):
        value = self.value
        if value.type.IsPointerType():  # made anew: lldb keeps each value that leads to another, and a list may be long
            place = lldb.SBAddress(int(self), value.target)
            value = value.target.CreateValueFromAddress(value.name, place, value.type.GetPointeeType())
        member = value.GetChildMemberWithName(name)
        if not member:
            raise ValueError(f"no member {name}")
        return Value(member)

    def __int__(self):
        error = lldb.SBError()
        signed = self.value.type.GetCanonicalType().GetTypeFlags() & lldb.eTypeIsSigned
        number = self.value.GetValueAsSigned(error) if signed else self.value.GetValueAsUnsigned(error)
        if error.Fail():
            raise Unreadable(error.GetCString())
        return number

    def __bool__(self):
        return int(self) != 0

    @property
    def address(self):
        return self.value.GetLoadAddress()

    def dereference(self):
        return Value(self.value.Dereference())


def summary(value, _):
    kind = value.type.GetDereferencedType() if value.type.IsReferenceType() else value.type
    name = kind.GetCanonicalType().GetUnqualifiedType().name
    value = value.Dereference() if value.type.IsReferenceType() else value
    printer = printer_for(name)
    try:
        return printer(lambda: Reader(Memory(value.target)), Value(value), name) if printer else ""
    except (Refusal, ValueError, StopIteration) as error:
        return f"<not understood: {error}>"


def __lldb_init_module(debugger, internal_dict):
    for line in ("command container add -o -h 'Tasks of asyncio for C++.' asyncio",
                 *(f"command script add -o -c {__name__}.{kind.__name__} asyncio {name}" for kind, name in
                   ((TasksCommand, "tasks"), (BacktraceCommand, "bt"), (FrameCommand, "frame"))),
                 *(f"type summary add -p -w asyncio -F {__name__}.summary -x '^({pattern})$'" for pattern, _ in PRINTERS),
                 "type category enable asyncio"):
        debugger.HandleCommand(line)
