"""Errors of programs: how they are made, matched and shown. The C++ side: interpreter/text.cpp."""
import asyncio
import re


class AppBase(BaseException):
    """A BaseException that asyncio does not know."""


ERRORS = {"V": ValueError, "R": RuntimeError, "L": LookupError, "O": OSError, "T": TimeoutError, "B": AppBase,
          "C": asyncio.CancelledError, "K": KeyboardInterrupt, "X": GeneratorExit}
PATTERNS = {"cancel": asyncio.CancelledError, "exception": Exception, "base": BaseException, "timeout": TimeoutError,
            "value": ValueError, "runtime": RuntimeError, "group": BaseExceptionGroup, "app": AppBase,
            "shutdown": asyncio.QueueShutDown, "broken": asyncio.BrokenBarrierError, "exit": GeneratorExit}
# Where a message names an object: its repr has addresses and lines of source, and is cut off.
NAMED_OBJECT = re.compile("<(Task |Future |coroutine |async_generator |_GatheringFuture|Token |_contextvars|ContextVar )")


def make_error(spec):
    kind, message = spec[0], spec[1]
    if kind == "G":
        return BaseExceptionGroup(message, [make_error(child) for child in spec[2]])
    if kind == "S":
        return SystemExit(int(message or 0))
    return ERRORS[kind](*((message,) if message else ()))


def shown_message(message):
    found = NAMED_OBJECT.search(message)
    if found:
        message = message[:found.start()]
    return shown_repr(message)


def shown_repr(text):
    """The repr of an object without what differs from run to run."""
    text = re.sub(" (object )?at 0x[0-9a-f]+", "", text)
    return re.sub("<TaskGroup tasks=[0-9]+", "<TaskGroup", text)  # differs: a task that starts eagerly in a group


def describe(error):
    if isinstance(error, BaseExceptionGroup):
        children = ", ".join(map(describe, error.exceptions))
        return f"{type(error).__name__}('{error.message}', [{children}])"
    message = shown_message(str(error))
    text = f"{type(error).__name__}('{message}')" if message else f"{type(error).__name__}()"
    if isinstance(error, TimeoutError) and error.__cause__ is not None:
        text += f" from {type(error.__cause__).__name__}"
    return text


def log_line(error):
    """The last line of a traceback."""
    name, message = type(error).__name__, shown_message(str(error))
    return f"{name}: {message}" if message else name


DEEPEST = 6


def text(value, depth=0):
    """Deep in lists only that there is more: a gather() of gather()s, each given twice, doubles with each level."""
    if isinstance(value, list):
        return "[...]" if depth == DEEPEST else "[" + ", ".join(text(part, depth + 1) for part in value) + "]"
    if isinstance(value, BaseException):
        return describe(value)
    return str(value)
