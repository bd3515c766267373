"""Real asyncio made repeatable: virtual time, a counter of passes, and order where CPython leaves it open.

CPython itself is not touched: its C tasks and futures run. Only what is left open by chance (the order of a set, the
order of timers of one instant) is given the order that docs/from-python.md promises. What `differs:` names, there and
elsewhere in this folder, is the row of its table.
"""
import asyncio
import asyncio.runners
import asyncio.taskgroups
import asyncio.tasks
import inspect
import textwrap
import weakref
from asyncio import base_events, events

TICK = 1 / 512  # exact as a float, and in nanoseconds


class Stuck(Exception):
    """Nothing is ready, and nothing is due: with a watchdog timer it cannot happen."""


class OrderedSet(dict):
    """A set that is walked in the order of insertion. differs: `wait()`; `as_completed()` of what is done"""

    def __init__(self, items=()):
        super().__init__((item, None) for item in items)

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)

    def remove(self, item):
        del self[item]

    def __sub__(self, other):
        return OrderedSet(item for item in self if item not in other)


class JumpingSelector:
    """Instead of waiting, time goes on."""

    def __init__(self, loop):
        self.loop = loop

    def select(self, timeout):
        self.loop.passes += 1
        if timeout is None:
            raise Stuck()
        if timeout > 0:
            self.loop.now += timeout
            self.loop.passes = 1  # they are counted anew in each moment
        return []

    def get_map(self):
        return {}

    def close(self):
        pass


class OrderedWeakSet(weakref.WeakKeyDictionary):
    """A weak set that is walked in the order of insertion. differs: closing generators at the end of `run()`"""

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)


class VirtualLoop(base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._clock_resolution = 1e-9
        self._selector = JumpingSelector(self)
        self._asyncgens = OrderedWeakSet()
        self.now = 0.0
        self.passes = 0
        self.created = {}  # coroutine -> its number, while its task may be alive

    def time(self):
        return self.now

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass

    def create_task(self, coro, **options):
        self.created[coro] = len(self.created)
        return super().create_task(coro, **options)

    def default_exception_handler(self, context):
        """Runs the handler although its context is in use. differs: exception handler, its context in use"""
        error = context.get("exception")
        in_use = isinstance(error, RuntimeError) and str(error).startswith("cannot enter context")
        if not in_use or context["message"] != "Unhandled error in exception handler":
            return super().default_exception_handler(context)
        try:
            self._exception_handler(self, context["context"])
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as failure:
            super().default_exception_handler({**context, "exception": failure})

    def run_until_complete(self, future):
        try:
            return super().run_until_complete(future)
        finally:
            # Takes away the stop callback that may be left. differs: a run that was interrupted as its task ended
            left = [handle for handle in self._ready if handle._callback is base_events._run_until_complete_cb]
            for handle in left:
                self._ready.remove(handle)
                if not handle._args[0].cancelled():
                    handle._args[0].exception()  # what else it would do: now it was retrieved


def _creation(task):
    return task.get_loop().created.get(task.get_coro(), 0)  # an eager one that is done has no coroutine


_all_tasks = asyncio.tasks.all_tasks


def all_tasks(loop=None):  # differs: `all_tasks()`; cancelling what is left at the end of `run()`
    return OrderedSet(sorted(_all_tasks(loop or events.get_running_loop()), key=_creation))


class TasksByCreation(OrderedSet):
    """The tasks of a group. differs: a failing `TaskGroup` cancels its tasks; a task that starts eagerly in a group"""

    def __iter__(self):
        return iter(sorted(super().__iter__(), key=_creation))


_group_exit = asyncio.TaskGroup.__aexit__


async def _exit_group(self, *exception):
    """Leaves a group. differs: a group that is destroyed with its task"""
    if not self._loop.is_closed():
        return await _group_exit(self, *exception)


_timers = 0
_timer_init = events.TimerHandle.__init__


def _numbered_init(self, *args, **kwargs):
    global _timers
    _timer_init(self, *args, **kwargs)
    _timers += 1
    self._number = _timers


def _replace(owner, name, old, new):
    """Redefines a method of asyncio with one expression changed; fails when CPython's text is another."""
    source = textwrap.dedent(inspect.getsource(getattr(owner, name)))
    assert source.count(old) == 1, f"{owner.__name__}.{name} has changed"
    scope = {}
    module = inspect.getmodule(owner)
    exec(compile(source.replace(old, new), module.__file__, "exec"), module.__dict__, scope)
    setattr(owner, name, scope[name])


class _Slotted(events.TimerHandle):  # differs: timers of the same instant
    __slots__ = ["_number"]
    __init__ = _numbered_init
    __hash__ = events.TimerHandle.__hash__

    def __lt__(self, other):
        return (self._when, self._number) < (other._when, other._number)


def install():
    """Puts order where CPython leaves it open."""
    asyncio.tasks.all_tasks = asyncio.all_tasks = all_tasks
    asyncio.tasks.set = OrderedSet
    asyncio.taskgroups.set = TasksByCreation
    asyncio.TaskGroup.__aexit__ = _exit_group
    _replace(asyncio.tasks._AsCompletedIterator, "__init__", "{ensure_future(aw, loop=loop) for aw in set(aws)}",
             "set(ensure_future(aw, loop=loop) for aw in set(aws))")
    events.TimerHandle = _Slotted  # base_events reads it from there
