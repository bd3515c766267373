"""Runs programs of the conformance language on CPython's asyncio and prints their traces.

python3.14 python_interpreter.py PROGRAMS     one program a line; the trace of each ends with a line `.`
"""
import asyncio
import contextvars
import gc
import json
import re
import sys
import warnings

import virtual_loop
from virtual_loop import TICK, VirtualLoop

MOST_STEPS = 250
MOST_LINES = 600
WATCHDOG_FIRST, WATCHDOG_NEXT, WATCHDOG_MOST = 100000, 5000, 25  # ticks, ticks, times

X = contextvars.ContextVar("x", default=0)
Y = contextvars.ContextVar("y", default=0)
VARS = (X, Y)


class AppBase(BaseException):
    """A BaseException that asyncio does not know."""


def make_error(spec):
    kind, message = spec[0], spec[1]
    args = (message,) if message else ()
    match kind:
        case "G":
            return BaseExceptionGroup(message, [make_error(child) for child in spec[2]])
        case "S":
            return SystemExit(int(message or 0))
    return {"V": ValueError, "R": RuntimeError, "L": LookupError, "O": OSError, "T": TimeoutError, "B": AppBase,
            "C": asyncio.CancelledError, "K": KeyboardInterrupt}[kind](*args)


def shown_message(message):
    for noise in ("<Task ", "<Future ", "<coroutine ", "<_Gathering", "<Token ", "<_contextvars", "<Context ", "<asyncio.locks"):
        at = message.find(noise)
        if at >= 0:
            message = message[:at]
    return re.sub("<TaskGroup tasks=[0-9]+", "<TaskGroup", message)  # CPython counts an eager child late


def describe(error):
    if isinstance(error, BaseExceptionGroup):
        children = ", ".join(map(describe, error.exceptions))
        return f"{type(error).__name__}('{error.message}', [{children}])"
    message = shown_message(str(error))
    text = f"{type(error).__name__}('{message}')" if message else f"{type(error).__name__}()"
    if isinstance(error, TimeoutError) and error.__cause__ is not None:
        text += f" from {type(error.__cause__).__name__}"
    return text


PATTERNS = {"cancel": asyncio.CancelledError, "exception": Exception, "base": BaseException, "timeout": TimeoutError,
            "value": ValueError, "runtime": RuntimeError, "group": BaseExceptionGroup, "app": AppBase,
            "shutdown": asyncio.QueueShutDown, "broken": asyncio.BrokenBarrierError}
MODES = {"all": asyncio.ALL_COMPLETED, "first": asyncio.FIRST_COMPLETED, "exception": asyncio.FIRST_EXCEPTION}


class Item:
    """What stands in a slot: a future of any kind."""

    def __init__(self, future, kind, children=()):
        self.future, self.kind, self.children = future, kind, list(children)


def text(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, BaseException):
        return describe(value)
    return str(value)


def is_entered(context):
    try:
        context.run(int)
    except RuntimeError:
        return True
    return False


class Run:
    def __init__(self, program):
        self.objects, self.functions = program
        self.lines = []
        self.steps = 0
        self.over = False
        self.items = [None] * 10
        self.callbacks = [None] * 4
        self.handles = [None] * 4
        self.contexts = [None] * 3
        self.tokens = [None] * 2
        self.timeouts = [None] * 4
        self.groups = [None] * 4
        self.things = []
        self.waits_on = {}  # task -> the Item that it awaits, so that no circle is made
        self.poisoned = set()  # tasks that awaited themselves
        self.first_name = None
        self.shots = 0

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

    def run(self):
        try:
            with asyncio.Runner(loop_factory=self.make_loop) as runner:
                value = runner.run(self.main())
            end = f"end {value}"
        except BaseException as error:
            end = f"end ! {describe(error)}"
        self.over = True
        self.lines.append(end)
        return self.lines

    def make_loop(self):
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self.on_report)
        self.loop.call_at(WATCHDOG_FIRST * TICK, self.watchdog)
        return self.loop

    def on_report(self, loop, context):
        message = context["message"]
        if "never retrieved" in message or "destroyed" in message:
            return  # when, depends on what keeps an object alive
        if message.startswith("Exception in callback"):
            message = "Exception in callback"
        error = context.get("exception")
        self.log("report", repr(message), describe(error) if error is not None else "-")

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

    async def main(self):
        self.things = [self.make_thing(spec) for spec in self.objects]
        self.items[0] = Item(asyncio.current_task(), "int")
        return await self.call(0, None)

    def make_thing(self, spec):
        kind = spec[0]
        make = {"lock": asyncio.Lock, "event": asyncio.Event, "cond": asyncio.Condition, "sem": asyncio.Semaphore,
                "bsem": asyncio.BoundedSemaphore, "barrier": asyncio.Barrier, "queue": asyncio.Queue,
                "pqueue": asyncio.PriorityQueue, "lqueue": asyncio.LifoQueue}[kind]
        return make(*spec[1:])

    # Running.

    async def call(self, number, owner):
        if owner is not None:
            owner.children.append(Item(asyncio.current_task(), "int"))
        self.log("start", number, X.get(), Y.get())
        flow = await self.block(self.functions[number])
        value = flow[0] if flow is not None else 0
        self.log("return", number, value)
        return value

    async def block(self, statements):
        for statement in statements:
            self.steps += 1
            if self.steps > MOST_STEPS:
                return None
            op = statement[0]
            plain = PLAIN.get(op)
            if plain is not None:
                plain(self, statement)
                continue
            try:
                flow = await ASYNC[op](self, *statement[1:])
            except GeneratorExit:
                raise
            except BaseException as error:
                self.log(op, "!", describe(error))
                raise
            if flow is not None:
                return flow
        return None

    def plain_block(self, statements):
        for statement in statements:
            self.steps += 1
            if self.steps > MOST_STEPS:
                return
            PLAIN[statement[0]](self, statement)

    # Awaiting statements: they return None, or (value,) to return from the function.

    async def op_return(self, value):
        return (value,)

    async def op_raise(self, spec):
        raise make_error(spec)

    async def op_sleep(self, ticks):
        await asyncio.sleep(ticks * TICK)
        self.log("sleep", ticks)

    async def op_call(self, number):
        self.log("call", number, "=", await self.call(number, None))

    async def op_loop(self, times, body):
        for _ in range(times):
            if self.steps > MOST_STEPS:
                return None
            flow = await self.block(body)
            if flow is not None:
                return flow

    async def op_try(self, body, handlers, otherwise, final):
        error = flow = None
        try:
            flow = await self.block(body)
        except GeneratorExit:
            raise
        except BaseException as caught:
            error = caught
        if error is not None:
            for pattern, action, block in handlers:
                if not isinstance(error, PATTERNS[pattern]):
                    continue
                self.log("except", pattern, describe(error))
                was, error = error, None
                try:
                    flow = await self.block(block)
                    if action == "reraise" and flow is None:
                        error = was
                    elif action != "swallow" and flow is None:
                        error = make_error(action)
                except GeneratorExit:
                    raise
                except BaseException as caught:
                    error = caught
                break
        elif otherwise and flow is None:
            try:
                flow = await self.block(otherwise)
            except GeneratorExit:
                raise
            except BaseException as caught:
                error = caught
        if final:
            try:
                last = await self.block(final)
                if last is not None:
                    flow, error = last, None
            except GeneratorExit:
                raise
            except BaseException as caught:
                error = caught
        if error is not None:
            raise error
        return flow

    async def op_except_star(self, body, pattern, block):
        try:
            return await self.block(body)
        except BaseExceptionGroup as group:
            matched, rest = group.split(PATTERNS[pattern])
        self.log("except*", "-" if matched is None else describe(matched), "-" if rest is None else describe(rest))
        flow = None
        if matched is not None:
            flow = await self.block(block)
        if rest is not None:
            raise rest
        return flow

    def would_circle(self, item):
        me = asyncio.current_task()
        todo, seen = [item], set()
        while todo:
            one = todo.pop()
            if one.future is me:
                return True
            if id(one) in seen:
                continue
            seen.add(id(one))
            todo += one.children
            if one.future in self.waits_on:
                todo.append(self.waits_on[one.future])
        return False

    async def awaiting(self, item, aw):
        """Awaits, and remembers on what the task waits."""
        me = asyncio.current_task()
        before = self.waits_on.get(me)
        self.waits_on[me] = item
        try:
            return await aw
        finally:
            if before is None:
                self.waits_on.pop(me, None)
            else:
                self.waits_on[me] = before

    async def op_await(self, slot):
        item = self.items[slot]
        if item is None:
            return self.log("await", slot, "empty")
        own = item.future is asyncio.current_task()
        if item.future in self.poisoned or (not own and self.would_circle(item)):
            return self.log("await", slot, "circle")
        if own:
            self.poisoned.add(item.future)  # in CPython nobody, not even itself, can await it any more
        self.log("await", slot, "=", text(await self.awaiting(item, item.future)))

    async def op_await_task(self, number, name, eager):
        item = Item(self.new_task(asyncio.create_task, number, name, eager, -1), "int")
        if self.would_circle(item):
            return self.log("await_task", "circle")
        self.log("await_task", "=", await self.awaiting(item, item.future))

    async def op_wait_for(self, source, ticks):
        timeout = None if ticks < 0 else ticks * TICK
        if isinstance(source, list):
            value = await asyncio.wait_for(self.call(source[1], None), timeout)
            return self.log("wait_for", "=", value)
        item = self.items[source]
        if item is None:
            return self.log("wait_for", source, "empty")
        if item.future in self.poisoned or self.would_circle(item):
            return self.log("wait_for", source, "circle")
        value = await self.awaiting(item, asyncio.wait_for(item.future, timeout))
        self.log("wait_for", "=", text(value))

    async def op_wait(self, slots, ticks, mode):
        futures = [self.items[slot].future for slot in slots if self.items[slot] is not None]
        done, pending = await asyncio.wait(futures, timeout=None if ticks < 0 else ticks * TICK,
                                           return_when=MODES[mode])
        show = lambda found: [i for i, future in enumerate(futures) if future in found]
        self.log("wait", "done", show(done), "pending", show(pending))

    async def op_as_completed(self, sources, ticks, mode, limit):
        aws, kinds, known = self.sources(sources, None)
        numeric = all(kind == "int" for kind in kinds)
        completed = asyncio.as_completed(aws, timeout=None if ticks < 0 else ticks * TICK)
        count = 0
        if mode == "plain":
            for step in completed:
                try:
                    value = await step
                    self.log("completed", value if numeric else "-")
                except Exception as error:
                    if self.over:
                        raise
                    self.log("completed", "!", describe(error))
                count += 1
                if count == limit:
                    break
        else:
            async for future in completed:
                which = [i for i, aw in enumerate(aws) if aw is future]
                self.log("completed", which, self.outcome(future) if numeric else "-")
                count += 1
                if count == limit:
                    break
        self.log("as_completed", count)

    async def op_timeout(self, slot, ticks, absolute, body):
        when = None if ticks < 0 else ticks * TICK
        timeout = asyncio.timeout_at(None if when is None else self.loop.time() + when) if absolute else asyncio.timeout(when)
        self.timeouts[slot] = timeout
        try:
            async with timeout:
                flow = await self.block(body)
        except GeneratorExit:
            raise
        except BaseException:
            self.log("timeout", slot, timeout.expired())
            raise
        self.log("timeout", slot, timeout.expired())
        return flow

    async def op_reenter_timeout(self, slot):
        if self.timeouts[slot] is not None:
            async with self.timeouts[slot]:
                pass

    async def op_group(self, slot, body):
        group = asyncio.TaskGroup()
        self.groups[slot] = group
        async with group:
            flow = await self.block(body)
        self.log("group", slot)
        return flow

    async def op_reenter_group(self, slot):
        if self.groups[slot] is not None:
            async with self.groups[slot]:
                pass

    async def op_with(self, number, body):
        async with self.things[number]:
            self.log("with", number)
            flow = await self.block(body)
        self.log("left", number)
        return flow

    async def op_acquire(self, number):
        await self.things[number].acquire()
        self.log("acquire", number)

    async def op_event_wait(self, number):
        await self.things[number].wait()
        self.log("event_wait", number)

    async def op_cond_wait(self, number):
        await self.things[number].wait()
        self.log("cond_wait", number)

    async def op_barrier_wait(self, number):
        self.log("barrier_wait", number, await self.things[number].wait())

    async def op_barrier_reset(self, number):
        await self.things[number].reset()
        self.log("barrier_reset", number)

    async def op_barrier_abort(self, number):
        await self.things[number].abort()
        self.log("barrier_abort", number)

    async def op_put(self, number, value):
        await self.things[number].put(value)
        self.log("put", number, value)

    async def op_get(self, number):
        self.log("get", number, await self.things[number].get())

    async def op_join(self, number):
        await self.things[number].join()
        self.log("join", number)

    # Plain statements: what they raise is only noted, but for `fail`.

    def do_log(self, number):
        self.log("log", number)

    def do_fail(self, spec):
        raise make_error(spec)

    def new_task(self, create, number, name, eager, context):
        options = {}
        if name:
            options["name"] = name
        if eager >= 0:
            options["eager_start"] = bool(eager)
        if context >= 0 and self.contexts[context] is not None:
            options["context"] = self.contexts[context]
            if eager != 0 and is_entered(self.contexts[context]):
                options["eager_start"] = False  # CPython would lose track of the current task
        coro = self.call(number, None)
        try:
            return create(coro, **options)
        except BaseException:
            coro.close()
            raise

    def do_task(self, slot, number, name, eager, context):
        task = self.new_task(asyncio.create_task, number, name, eager, context)
        self.items[slot] = Item(task, "int")
        self.log("task", slot, self.name_of(task), task.done())

    def do_group_task(self, group, slot, number, name, eager, context):
        if self.groups[group] is None:
            return self.log("group_task", "empty")
        task = self.new_task(self.groups[group].create_task, number, name, eager, context)
        self.items[slot] = Item(task, "int")
        self.log("group_task", slot, self.name_of(task), task.done())

    def do_cancel(self, slot, message):
        if self.items[slot] is None:
            return self.log("cancel", slot, "empty")
        args = (message,) if message else ()
        self.log("cancel", slot, self.items[slot].future.cancel(*args))

    def do_cancel_self(self, message):
        task = asyncio.current_task()
        if task is None:
            return self.log("cancel_self", "none")
        args = (message,) if message else ()
        self.log("cancel_self", task.cancel(*args))

    def do_uncancel(self, slot):
        task = asyncio.current_task() if slot < 0 else self.items[slot] and self.items[slot].future
        if not isinstance(task, asyncio.Task):
            return self.log("uncancel", slot, "none")
        self.log("uncancel", slot, task.uncancel())

    def do_cancelling(self, slot):
        task = self.items[slot] and self.items[slot].future
        if not isinstance(task, asyncio.Task):
            return self.log("cancelling", slot, "none")
        self.log("cancelling", slot, task.cancelling())

    def do_future(self, slot):
        self.items[slot] = Item(self.loop.create_future(), "int")

    def do_set_result(self, slot, value):
        item = self.items[slot]
        if item is None or item.kind != "int":
            return self.log("set_result", slot, "none")
        item.future.set_result(value)
        self.log("set_result", slot)

    def do_set_exception(self, slot, spec):
        item = self.items[slot]
        if item is None or item.kind != "int":
            return self.log("set_exception", slot, "none")
        item.future.set_exception(make_error(spec))
        self.log("set_exception", slot)

    def outcome(self, future):
        if not future.done():
            return "pending"
        if future.cancelled():
            return "cancelled"
        error = future.exception()
        return "! " + describe(error) if error is not None else text(future.result())

    def do_state(self, slot):
        self.log("state", slot, self.outcome(self.items[slot].future) if self.items[slot] is not None else "none")

    def do_result(self, slot):
        if self.items[slot] is not None:
            self.log("result", slot, text(self.items[slot].future.result()))

    def do_exception(self, slot):
        if self.items[slot] is not None:
            error = self.items[slot].future.exception()
            self.log("exception", slot, "None" if error is None else describe(error))

    def do_set_name(self, slot, name):
        task = self.items[slot] and self.items[slot].future
        if isinstance(task, asyncio.Task):
            task.set_name(name)
            self.log("set_name", slot, task.get_name())

    def do_callback(self, slot, number, context, block):
        if self.items[slot] is None:
            return self.log("callback", "none")

        def callback(future):
            self.log("called", number, self.outcome(future), X.get(), Y.get())
            self.plain_block(block)

        options = {}
        if context >= 0 and self.contexts[context] is not None:
            options["context"] = self.contexts[context]
        future = self.items[slot].future
        future.add_done_callback(callback, **options)
        self.callbacks[number] = (future, callback)

    def do_remove_callback(self, number):
        if self.callbacks[number] is None:
            return self.log("remove_callback", "none")
        future, callback = self.callbacks[number]
        self.log("remove_callback", number, future.remove_done_callback(callback))

    def scheduled(self, number, block):
        def callback():
            self.log("ran", number, X.get(), Y.get())
            self.plain_block(block)
        return callback

    def do_soon(self, number, context, block):
        options = {}
        if context >= 0 and self.contexts[context] is not None:
            options["context"] = self.contexts[context]
        self.handles[number] = self.loop.call_soon(self.scheduled(number, block), **options)

    def do_later(self, number, ticks, block):
        self.handles[number] = self.loop.call_later(ticks * TICK, self.scheduled(number, block))
        self.log("later", number, round(self.handles[number].when() / TICK))

    def do_at(self, number, ticks, block):
        self.handles[number] = self.loop.call_at(self.loop.time() + ticks * TICK, self.scheduled(number, block))

    def do_handle_cancel(self, number):
        handle = self.handles[number]
        if handle is None:
            return self.log("handle_cancel", "none")
        before = handle.cancelled()
        handle.cancel()
        self.log("handle_cancel", number, before, handle.cancelled())

    def sources(self, sources, owner):
        aws, kinds, known = [], [], []
        for source in sources:
            if isinstance(source, list):
                aws.append(self.call(source[1], owner))
                kinds.append("int")
            elif self.items[source] is not None:
                aws.append(self.items[source].future)
                kinds.append(self.items[source].kind)
                known.append(self.items[source])
        return aws, kinds, known

    def do_gather(self, slot, exceptions, sources):
        item = Item(None, "list")
        aws, kinds, known = self.sources(sources, item)
        item.children += known
        item.future = asyncio.gather(*aws, return_exceptions=bool(exceptions))
        self.items[slot] = item
        self.log("gather", slot, item.future.done())

    def do_shield(self, slot, source):
        if isinstance(source, list):
            self.items[slot] = Item(asyncio.shield(self.call(source[1], None)), "int")
        elif self.items[source] is None:
            return self.log("shield", "none")
        else:
            inner = self.items[source]
            outer = asyncio.shield(inner.future)
            self.items[slot] = inner if outer is inner.future else Item(outer, inner.kind)
        self.log("shield", slot, self.items[slot].future.done())

    def do_ensure_future(self, slot, source):
        if self.items[source] is not None:
            self.items[slot] = self.items[source]
            same = asyncio.ensure_future(self.items[source].future) is self.items[source].future
            self.log("ensure_future", slot, same)

    def do_reschedule(self, slot, ticks):
        if self.timeouts[slot] is None:
            return self.log("reschedule", "none")
        self.timeouts[slot].reschedule(None if ticks < 0 else self.loop.time() + ticks * TICK)
        self.log("reschedule", slot)

    def do_expired(self, slot):
        if self.timeouts[slot] is not None:
            when = self.timeouts[slot].when()
            self.log("expired", slot, self.timeouts[slot].expired(), "None" if when is None else round(when / TICK))

    def do_set_var(self, var, value):
        self.tokens[var] = VARS[var].set(value)

    def do_get_var(self, var):
        self.log("get_var", var, VARS[var].get())

    def do_reset_var(self, var):
        if self.tokens[var] is not None:
            VARS[var].reset(self.tokens[var])
            self.log("reset_var", var, VARS[var].get())

    def do_context(self, slot):
        self.contexts[slot] = contextvars.copy_context()

    def do_context_run(self, slot, block):
        if self.contexts[slot] is not None:
            self.contexts[slot].run(self.plain_block, block)
            self.log("context_run", slot)

    def do_eager_factory(self, on):
        self.loop.set_task_factory(asyncio.eager_task_factory if on else None)

    def do_all_tasks(self):
        self.log("all_tasks", *map(self.name_of, asyncio.tasks.all_tasks(self.loop)))

    def do_report(self, message):
        self.loop.call_exception_handler({"message": message})

    def do_release(self, number):
        self.things[number].release()
        self.log("release", number)

    def do_locked(self, number):
        self.log("locked", number, self.things[number].locked())

    def do_event_set(self, number):
        self.things[number].set()
        self.log("event_set", number)

    def do_event_clear(self, number):
        self.things[number].clear()
        self.log("event_clear", number)

    def do_notify(self, number, count):
        if count < 0:
            self.things[number].notify_all()
        else:
            self.things[number].notify(count)
        self.log("notify", number, count)

    def do_barrier_state(self, number):
        barrier = self.things[number]
        self.log("barrier_state", number, barrier.n_waiting, barrier.broken)

    def do_put_nowait(self, number, value):
        self.things[number].put_nowait(value)
        self.log("put_nowait", number, value)

    def do_get_nowait(self, number):
        self.log("get_nowait", number, self.things[number].get_nowait())

    def do_task_done(self, number):
        self.things[number].task_done()
        self.log("task_done", number)

    def do_shutdown(self, number, immediate):
        self.things[number].shutdown(bool(immediate))
        self.log("shutdown", number, immediate)

    def do_queue_state(self, number):
        queue = self.things[number]
        self.log("queue_state", number, queue.qsize(), queue.empty(), queue.full())


def noting(name, function):
    if name == "fail":
        return lambda run, statement: function(run, *statement[1:])

    def plain(run, statement):
        try:
            function(run, *statement[1:])
        except (Exception, asyncio.CancelledError) as error:
            run.log(name, "!", describe(error))
    return plain


ASYNC = {name[3:]: function for name, function in vars(Run).items() if name.startswith("op_")}
PLAIN = {name[3:]: noting(name[3:], function) for name, function in vars(Run).items() if name.startswith("do_")}


def main(path):
    virtual_loop.install()
    warnings.simplefilter("ignore")
    gc.disable()
    write = sys.stdout.write
    for number, line in enumerate(open(path)):
        for text_line in Run(json.loads(line)).run():
            write(text_line + "\n")
        write(".\n")
        sys.stdout.flush()
        if number % 200 == 0:
            gc.collect()
    gc.collect()


if __name__ == "__main__":
    main(sys.argv[1])
