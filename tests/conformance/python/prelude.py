"""What a printed program of the conformance language stands on: from prelude import *"""
import asyncio
import contextlib
import contextvars
import functools
import gc
import warnings
import weakref

import trace as trace_module
import virtual_loop
from combining import positions
from items import outcome
from slots import Empty, Slots
from text import AppBase, describe, shown_repr, text
from trace import MOST_CANCELS, Trace, X, Y, Z, tell_from_destructor
from tasks import is_entered
from virtual_loop import TICK

virtual_loop.install()
trace_module.install()
warnings.simplefilter("ignore")
trace = Trace()
log = trace.log
name_of = trace.name_of

s = Slots(5)  # futures
g = Slots(2)  # generators
c = Slots(2)  # as_completed() iterations
callbacks, handles, contexts, tokens = Slots(4), Slots(4), Slots(2), Slots(3)
timeouts, groups = Slots(3), Slots(3)
flags = [0, 0]
lists = weakref.WeakSet()  # the futures that are gathers or shields of them


def run(*mains):
    def first(main):
        async def with_slot():
            s[0] = asyncio.current_task()
            return await main()
        return with_slot

    trace.run([first(main) for main in mains])
    for slots in (s, g, c, callbacks, handles, contexts, tokens, timeouts, groups):
        slots.all.clear()
    gc.collect()
    print("\n".join(trace.lines + sorted(trace.lost)))


def loop():
    return trace.loop


def function(number):
    def decorated(body):
        @functools.wraps(body)
        async def logged():
            log("start", number, X.get(), Y.get())
            try:
                value = await body() or 0
            except GeneratorExit:
                raise RuntimeError("GeneratorExit")  # differs: `GeneratorExit` out of a task
            log("return", number, value)
            return value
        return logged
    return decorated


@contextlib.contextmanager
def step(name):
    """A statement that is awaited: says what it raises."""
    try:
        yield
    except Empty:
        log(name, "empty")
    except BaseException as error:
        log(name, "!", describe(error))
        raise


@contextlib.contextmanager
def plain(name):
    """A statement that never waits: what it raises is only noted."""
    try:
        yield
    except Empty:
        log(name, "empty")
    except Unfit as unfit:
        log(name, *unfit.args)
    except (Exception, asyncio.CancelledError) as error:
        log(name, "!", describe(error))


class Unfit(BaseException):
    """What stands in a slot is not of the kind that a statement wants."""


def own_task(*slot):
    task = asyncio.current_task()
    if task is None:
        raise Unfit(*slot, "no task")
    return task


def task_at(slot):
    if slot < 0:
        return own_task(slot)
    if not isinstance(s[slot], asyncio.Task):
        raise Unfit(slot, "no task")
    return s[slot]


def number_at(slot):
    if s[slot] in lists:
        raise Unfit(slot, "no number")
    return s[slot]


def all_tasks():
    return asyncio.tasks.all_tasks(loop())


def awaitables(*sources):
    """The futures in slots that are not empty, and coroutines of functions."""
    return [source() if callable(source) else s[source] for source in sources if callable(source) or s.has(source)]


def gathered(*sources, return_exceptions=False):
    future = asyncio.gather(*awaitables(*sources), return_exceptions=return_exceptions)
    lists.add(future)
    return future


def shielded(future):
    outer = asyncio.shield(future)
    if future in lists:
        lists.add(outer)
    return outer


def in_context(slot, eager=None):
    options = {} if eager is None or eager < 0 else {"eager_start": bool(eager)}
    if contexts.has(slot):
        options["context"] = contexts[slot]
        if eager is not None and eager != 0 and is_entered(contexts[slot]):
            options["eager_start"] = False  # differs: eager start in a context in use
    return options


def logging_task(coro, **options):
    log("factory", options.get("name") or "-", options.get("eager_start", "-"))
    return asyncio.Task(coro, **options)


def logging_factory(loop, coro, **options):
    return logging_task(coro, loop=loop, **options)


def moment(when):
    return "None" if when is None else round(when / TICK)


def describe_or_none(error):
    return "-" if error is None else describe(error)


def completing(*sources, timeout):
    """An as_completed() under way: each call of what this returns is a step, and gives False when it is over."""
    given = awaitables(*sources)
    iteration = asyncio.as_completed(given, timeout=timeout)
    numeric = not any(one in lists for one in given)

    async def step(how):
        try:
            if how == "async":
                future = await anext(iteration)
                log("completed", positions(given, [future]), outcome(future) if numeric else "-")
                return True
            one = next(iteration)
        except (StopIteration, StopAsyncIteration):
            return False
        if how == "drop":
            one.close()
            log("completed", "dropped")
            return True
        try:
            value = await one
            log("completed", value if numeric else "-")
        except Exception as error:
            log("completed", "!", describe(error))
        return True
    return step


def item(value):
    return ("end",) if value is None else ("=", value)


async def or_none(awaitable):
    try:
        return await awaitable
    except StopAsyncIteration:
        return None


def predicate(flag):
    def called():
        log("predicate", flag, flags[flag])
        if flags[flag] == 2:
            raise ValueError("predicate")
        return flags[flag] == 1
    return called


class guard:
    """The library's guard: a release that fails is told to the exception handler."""

    def __init__(self, thing):
        self.thing = thing

    async def __aenter__(self):
        await self.thing.acquire()

    async def __aexit__(self, *_):
        try:
            self.thing.release()
        except Exception as error:
            tell_from_destructor(loop(), error)
