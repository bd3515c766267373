"""One run of one program on real asyncio. The C++ side: interpreter/run.cpp."""
import asyncio
import contextvars

from items import Item, Waits
from text import describe, log_line
from virtual_loop import TICK, VirtualLoop
from walk import Walk

MOST_STEPS = 250
MOST_LINES = 600
WATCHDOG_FIRST, WATCHDOG_NEXT, WATCHDOG_MOST = 100000, 5000, 25  # ticks, ticks, times

X = contextvars.ContextVar("x", default=0)
Y = contextvars.ContextVar("y", default=0)
Z = contextvars.ContextVar("z")
VARS = (X, Y, Z)


class Run:
    def __init__(self, program):
        self.objects, self.functions = program[:2]
        self.mains = program[2] if len(program) > 2 else [0]
        self.lines = []
        self.lost = []  # what was reported of futures and tasks that nobody looked at again
        self.steps = 0
        self.over = False
        self.first_name = None
        self.shots = 0
        self.handler_mode = 0
        self.waits = Waits()
        self.things = []
        self.make_slots()

    def make_slots(self):
        self.items = [None] * 10
        self.callbacks = [None] * 4
        self.handles = [None] * 4
        self.contexts = [None] * 3
        self.tokens = [None] * 3
        self.timeouts = [None] * 4
        self.groups = [None] * 4
        self.flags = [0] * 2
        self.generators = [None] * 3
        self.completions = [None] * 2

    # The trace.

    def name_of(self, task):
        name = task.get_name()
        if name.startswith("Task-"):
            if self.first_name is None:
                self.first_name = int(name[5:])
            return f"T{int(name[5:]) - self.first_name}"
        return name

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
                who += f"+{task.cancelling()}"
        self.lines.append(f"{self.loop.passes} {round(self.loop.now / TICK)} {who} " + " ".join(map(str, words)))

    def on_report(self, loop, context):
        message = context["message"]
        error = context.get("exception")
        if "never retrieved" in message or "destroyed" in message:
            # When this is told depends on what keeps an object alive; that it is told does not.
            self.lost.append(f"lost {message}" + (f" {log_line(error)}" if error is not None else ""))
            return
        if message.startswith("Exception in callback"):
            message = "Exception in callback"
        message = message.split("<async_generator", 1)[0]
        self.log("report", repr(message), describe(error) if error is not None else "-", X.get())
        if self.handler_mode:
            raise (ValueError if self.handler_mode == 1 else KeyboardInterrupt)("handler")

    def on_log(self, message, error):
        """What the default exception handler says."""
        self.log("logged", message.split("\n", 1)[0], "-" if error is None else log_line(error))

    # Running.

    def run(self):
        """All but what is lost, which is known when nothing of the run is left."""
        try:
            with asyncio.Runner(loop_factory=self.make_loop) as runner:
                for main in self.mains:
                    try:
                        end = f"end {runner.run(self.main(main))}"
                    except BaseException as error:
                        end = f"end ! {describe(error)}"
                    self.lines.append(end)
                    self.handler_mode = 0
        except BaseException as error:
            self.lines.append(f"closing ! {describe(error)}")
        self.over = True

    def forget(self):
        """Lets go of all that the program has made."""
        self.loop.created.clear()
        self.things.clear()
        self.waits = Waits()
        self.make_slots()

    def make_loop(self):
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self.on_report)
        self.loop.call_at(WATCHDOG_FIRST * TICK, self.watchdog)
        return self.loop

    def watchdog(self):
        self.shots += 1
        self.log("watchdog")
        self.loop.call_later(WATCHDOG_NEXT * TICK, self.watchdog)
        if self.shots > WATCHDOG_MOST:
            self.log("stuck")
            self.over = True
            raise SystemExit(9)
        for task in asyncio.tasks.all_tasks(self.loop):
            task.cancel("watchdog")

    async def main(self, number):
        if not self.things:
            for spec in self.objects:
                self.things.append(self.make_thing(spec))
        self.items[0] = Item(asyncio.current_task(), "int")
        return await self.call(number, None)

    def make_thing(self, spec):
        if spec[0] == "shared_cond":
            return asyncio.Condition(self.things[spec[1]])
        make = {"lock": asyncio.Lock, "event": asyncio.Event, "cond": asyncio.Condition, "sem": asyncio.Semaphore,
                "bsem": asyncio.BoundedSemaphore, "barrier": asyncio.Barrier, "queue": asyncio.Queue,
                "pqueue": asyncio.PriorityQueue, "lqueue": asyncio.LifoQueue}[spec[0]]
        return make(*spec[1:])

    def is_tired(self, more):
        """A program that has made enough steps only ends its blocks from then on."""
        self.steps += more
        return self.steps > MOST_STEPS

    async def call(self, number, owner):
        if owner is not None:
            owner.children.append(Item(asyncio.current_task(), "int"))
        self.log("start", number, X.get(), Y.get())
        flow = await self.block(self.functions[number])
        value = flow[0] if flow is not None else 0
        self.log("return", number, value)
        return value

    async def block(self, statements):
        walk = Walk(self, statements)
        while (statement := walk.next()) is not None:
            try:
                flow = await walk.act(statement)
            except BaseException as error:
                if self.over and isinstance(error, GeneratorExit):
                    raise  # not an error of the program: the coroutine is being destroyed
                walk.threw(statement, error)
            else:
                walk.gave(flow)
        return walk.outcome()

    async def generate(self, number):
        self.log("begin", number, X.get(), Y.get())
        walk = Walk(self, self.functions[number], yields=True)
        while (statement := walk.next()) is not None:
            try:
                if statement[0] == "yield":
                    yield statement[1]
                    self.log("yield", statement[1])
                    continue
                flow = await walk.act(statement)
            except BaseException as error:
                if self.over and isinstance(error, GeneratorExit):
                    raise
                walk.threw(statement, error)
            else:
                walk.gave(flow)
        walk.outcome()
        self.log("finish", number)

    def plain_block(self, statements):
        walk = Walk(self, statements)
        assert walk.next() is None
        walk.outcome()
