"""The trace of a run on real asyncio: what is logged, and the loop that it runs in. The C++ side: interpreter/trace.cpp.

A line says in which pass of the loop, at which moment and in which task something happened, and what.
"""
import asyncio
import contextvars
import logging

from text import describe, log_line
from virtual_loop import TICK, VirtualLoop

MOST_LINES = 600
MOST_CANCELS = 65_535  # that the library counts; docs/from-python.md says so
WATCHDOG_FIRST, WATCHDOG_NEXT, WATCHDOG_MOST = 100000, 5000, 25  # ticks, ticks, times

X = contextvars.ContextVar("x", default=0)
Y = contextvars.ContextVar("y", default=0)
Z = contextvars.ContextVar("z")
VARS = (X, Y, Z)


class Trace:
    def __init__(self):
        self.lines = []
        self.lost = []  # what was reported of futures and tasks that nobody looked at again
        self.over = False
        self.first_name = None
        self.shots = 0
        self.handler_mode = 0

    def run(self, mains):
        """Runs coroutine functions in turn in one Runner. What is lost is known when nothing of them is left."""
        LogToTrace.trace = self
        try:
            with asyncio.Runner(loop_factory=self.make_loop) as runner:
                for main in mains:
                    try:
                        end = f"end {runner.run(main())}"
                    except BaseException as error:
                        end = f"end ! {describe(error)}"
                    self.lines.append(end)
                    self.handler_mode = 0
        except BaseException as error:
            self.lines.append(f"closing ! {describe(error)}")
        self.over = True
        self.loop.created.clear()

    def make_loop(self):
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self.on_report)
        self.loop.call_at(WATCHDOG_FIRST * TICK, self.watchdog)
        return self.loop

    def watchdog(self):
        """What has come to a standstill is cancelled."""
        self.shots += 1
        self.log("watchdog")
        self.loop.call_later(WATCHDOG_NEXT * TICK, self.watchdog)
        if self.shots > WATCHDOG_MOST:
            self.log("stuck")
            self.over = True
            raise SystemExit(9)
        for task in asyncio.tasks.all_tasks(self.loop):
            task.cancel("watchdog")

    def name_of(self, task):
        """Its name; the tasks without one are counted from the first that is named in the trace."""
        name = task.get_name()
        if not name.startswith("Task-"):
            return name
        if self.first_name is None:
            self.first_name = int(name[5:])
        return f"T{int(name[5:]) - self.first_name}"

    def log(self, *words):
        if self.over:
            return
        if len(self.lines) >= MOST_LINES:
            if len(self.lines) == MOST_LINES:
                self.lines.append("...")
            return
        task = asyncio.current_task(self.loop)
        who = "-"
        if task is not None:
            who = self.name_of(task)
            if task.cancelling():
                who += f"+{min(task.cancelling(), MOST_CANCELS)}"
        self.lines.append(f"{self.loop.passes} {round(self.loop.now / TICK)} {who} " + " ".join(map(str, words)))

    def on_report(self, loop, context):
        """The loop's exception handler."""
        message = context["message"]
        error = context.get("exception")
        if isinstance(error, StopAsyncIteration):
            return  # differs: a generator that has ignored its closing
        if "never retrieved" in message or "destroyed" in message:
            # That it is told shows, not when. differs: when a lost exception is told; a running task without a handle
            about = " task" if "task" in context else ""
            self.lost.append(f"lost {message}{about}" + (f" {log_line(error)}" if error is not None else ""))
            return
        if message.startswith("Exception in callback"):
            message = "Exception in callback"  # of a function, which has another name in another language
        message = message.split("<async_generator", 1)[0]
        about = [key for key in ("asyncgen", "future", "handle", "task") if key in context]
        self.log("report", repr(message), describe(error) if error is not None else "-", X.get(), *about)
        if self.handler_mode:
            raise ValueError("handler") if self.handler_mode == 1 else KeyboardInterrupt


def tell_from_destructor(loop, error):
    """As the library's guard tells of a release that fails: what the handler raises cannot leave a destructor."""
    try:
        loop.call_exception_handler({"message": "a guard could not release what it held", "exception": error})
    except BaseException as ignored:
        asyncio.log.logger.error(f"Exception ignored in an exception handler: {ignored!r}")


class LogToTrace(logging.Handler):
    """Takes what the default exception handler says."""
    trace = None

    def emit(self, record):
        if record.levelno >= logging.ERROR:
            error = log_line(record.exc_info[1]) if record.exc_info else "-"
            self.trace.log("logged", record.getMessage().split("\n", 1)[0], error)


def install():
    """Everything that asyncio logs goes into the trace under way."""
    logging.getLogger("asyncio").addHandler(LogToTrace())
    logging.getLogger("asyncio").propagate = False
