"""One run of one program on real asyncio. The C++ side: interpreter/run.cpp."""
import asyncio
import contextlib
import gc

from generators import is_closing
from items import Item, Waits
from slots import Slots
from trace import Trace, X, Y
from walk import Walk

MOST_STEPS = 250


class Run:
    def __init__(self, program):
        self.objects, self.functions = program[:2]
        self.mains = program[2] if len(program) > 2 else [0]
        self.trace = Trace()
        self.log = self.trace.log
        self.steps = 0
        self.waits = Waits()
        self.things = []
        self.make_slots()

    def make_slots(self):
        self.items = Slots(5)
        self.callbacks = Slots(4)
        self.handles = Slots(4)
        self.contexts = Slots(2)
        self.tokens = Slots(3)
        self.timeouts = Slots(3)
        self.groups = Slots(3)
        self.flags = [0] * 2
        self.generators = Slots(2)
        self.completions = Slots(2)
        self.kept = {}

    @property
    def loop(self):
        return self.trace.loop

    def run(self):
        self.trace.run([lambda number=number: self.main(number) for number in self.mains])

    def forget(self):
        """Lets go of all that the program has made."""
        self.things.clear()
        self.waits = Waits()
        self.make_slots()

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
        try:
            flow = await self.block(self.functions[number])
        except GeneratorExit:
            if self.trace.over:
                raise
            raise RuntimeError("GeneratorExit")  # differs: `GeneratorExit` out of a task
        value = flow[0] if flow is not None else 0
        self.log("return", number, value)
        return value

    async def block(self, statements):
        walk = Walk(self, statements)
        while (statement := walk.next()) is not None:
            try:
                flow = await walk.act(statement)
            except BaseException as error:
                if self.is_destroyed_by(error):
                    raise
                walk.threw(statement, error)
            else:
                walk.gave(flow)
        return walk.outcome()

    async def generate(self, number, me):
        """`me()` is the generator."""
        self.log("begin", number, X.get(), Y.get())
        walk = Walk(self, self.functions[number], yields=True)
        closing = False
        while (statement := walk.next()) is not None:
            try:
                if statement[0] == "yield":
                    with self.keeping(me()) if closing else contextlib.nullcontext():
                        yield statement[1]
                    self.log("yield", statement[1])
                    continue
                flow = await walk.act(statement)
            except BaseException as error:
                if self.is_destroyed_by(error):
                    raise
                closing = closing or (statement[0] == "yield" and is_closing(error))
                walk.threw(statement, error)
            else:
                walk.gave(flow)
        walk.outcome()

    @contextlib.contextmanager
    def keeping(self, generator):
        """Dropped while it stands here, it would be closed again. differs: a generator that has ignored its closing"""
        if generator is None:  # it is being finalized, by a task of asyncio's
            generator = gc.get_referents(asyncio.current_task().get_coro())
        key = object()
        self.kept[key] = generator
        del generator
        try:
            yield
        finally:
            self.kept.pop(key, None)

    def is_destroyed_by(self, error):
        """Whether it is no error of the program: the coroutine is being destroyed."""
        return self.trace.over and isinstance(error, GeneratorExit)

    def plain_block(self, statements):
        walk = Walk(self, statements)
        assert walk.next() is None
        walk.outcome()
