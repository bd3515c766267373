"""A program of the conformance language as Python source, which runs as it is: see python/prelude.py."""
import language

HEAD = '''"""Prints its trace: PYTHONPATH=tests/conformance/python python3.14 THIS_FILE"""
from prelude import *
'''
ERRORS = {"V": "ValueError", "R": "RuntimeError", "L": "LookupError", "O": "OSError", "T": "TimeoutError", "B": "AppBase",
          "C": "asyncio.CancelledError", "K": "KeyboardInterrupt", "S": "SystemExit", "X": "GeneratorExit"}
PATTERNS = {"cancel": "asyncio.CancelledError", "exception": "Exception", "base": "BaseException",
            "timeout": "TimeoutError", "value": "ValueError", "runtime": "RuntimeError", "group": "BaseExceptionGroup",
            "app": "AppBase", "shutdown": "asyncio.QueueShutDown", "broken": "asyncio.BrokenBarrierError",
            "exit": "GeneratorExit"}
RETURN_WHEN = {"all": "ALL_COMPLETED", "first": "FIRST_COMPLETED", "exception": "FIRST_EXCEPTION"}
FACTORIES = ("None", "asyncio.eager_task_factory", "logging_factory", "asyncio.create_eager_task_factory(logging_task)")
THINGS = {"lock": "asyncio.Lock()", "event": "asyncio.Event()", "cond": "asyncio.Condition()",
          "shared_cond": "asyncio.Condition({})", "sem": "asyncio.Semaphore({})", "bsem": "asyncio.BoundedSemaphore({})",
          "barrier": "asyncio.Barrier({})", "queue": "asyncio.Queue({})", "pqueue": "asyncio.PriorityQueue({})",
          "lqueue": "asyncio.LifoQueue({})"}

# Statements without blocks: {0}, {1} … are the fields as they are, {kind} a field as Python source.
SIMPLE = {
    "sleep": 'await asyncio.sleep({ticks})\nlog("sleep", {0})',
    "sleep_value": 'log("sleep_value", {0}, await asyncio.sleep({ticks}, {1}))',
    "call": 'log("call", {0}, "=", await f{0}())',
    "raise": "raise {error}",
    "await": 'log("await", {0}, "=", text(await s[{0}]))',
    "await_task": 'log("await_task", "=", await asyncio.create_task(f{0}(){task_options}))',
    "wait_for": 'log("wait_for", "=", text(await asyncio.wait_for({source}, {limit})))',
    "wait": "futures = awaitables({slots})\n"
            "done, pending = await asyncio.wait(futures, timeout={limit}, return_when=asyncio.{return_when})\n"
            'log("wait", "done", positions(futures, done), "pending", positions(futures, pending))',
    "completed": 'if not await c[{0}]("{1}"):\n    log("completed", {0}, "over")',
    "as_completed": "next_step = completing({sources_and}timeout={limit})\n"
                    "count = 0\n"
                    'while await next_step("{2}"):\n'
                    "    count += 1\n"
                    "    if count == {3}:\n"
                    "        break\n"
                    'log("as_completed", count)',
    "acquire": 'await {thing}.acquire()\nlog("acquire", {0})',
    "event_wait": 'await {thing}.wait()\nlog("event_wait", {0})',
    "cond_wait": 'await {thing}.wait()\nlog("cond_wait", {0})',
    "cond_wait_for": 'log("cond_wait_for", {0}, await {thing}.wait_for(predicate({1})))',
    "barrier_wait": 'log("barrier_wait", {0}, await {thing}.wait())',
    "barrier_reset": 'await {thing}.reset()\nlog("barrier_reset", {0})',
    "barrier_abort": 'await {thing}.abort()\nlog("barrier_abort", {0})',
    "put": 'await {thing}.put({1})\nlog("put", {0}, {1})',
    "get": 'log("get", {0}, await {thing}.get())',
    "join": 'await {thing}.join()\nlog("join", {0})',
    "yield": 'yield {0}\nlog("yield", {0})',
    "next": 'log("next", {0}, *item(await anext(g[{0}], None)))',
    "athrow": 'log("athrow", {0}, *item(await or_none(g[{0}].athrow({error}))))',
    "aclose": 'await or_none(g[{0}].aclose())\nlog("aclose", {0})',
    "log": 'log("log", {0})',
    "fail": "raise {error}",
    "task": 's[{0}] = asyncio.create_task(f{1}(){task_options})\nlog("task", {0}, name_of(s[{0}]), s[{0}].done())',
    "group_task": "s[{1}] = groups[{0}].create_task(f{2}(){task_options})\n"
                  'log("group_task", {1}, name_of(s[{1}]), s[{1}].done())',
    "task_factory": "loop().set_task_factory({factory})",
    "cancel": 'log("cancel", {0}, s[{0}].cancel({message}))',
    "cancel_self": 'log("cancel_self", own_task().cancel({message}))',
    "uncancel": 'log("uncancel", {0}, task_at({0}).uncancel())',
    "cancelling": 'log("cancelling", {0}, min(task_at({0}).cancelling(), MOST_CANCELS))',
    "set_name": 'task_at({0}).set_name("{1}")\nlog("set_name", {0}, task_at({0}).get_name())',
    "all_tasks": 'log("all_tasks", *map(name_of, all_tasks()))',
    "future": "s[{0}] = loop().create_future()",
    "forget": "s.clear({0})",
    "set_result": 'number_at({0}).set_result({1})\nlog("set_result", {0})',
    "set_exception": 's[{0}].set_exception({error})\nlog("set_exception", {0})',
    "state": 'log("state", {0}, outcome(s[{0}]))',
    "result": 'log("result", {0}, text(s[{0}].result()))',
    "exception": 'log("exception", {0}, text(s[{0}].exception()))',
    "ensure_future": 'source = s[{1}]\ns[{0}] = asyncio.ensure_future(source)\nlog("ensure_future", {0}, s[{0}] is source)',
    "remove_callback": "future, called = callbacks[{0}]\n"
                       'log("remove_callback", {0}, future.remove_done_callback(called))',
    "gather": "s[{0}] = gathered({sources_and}{return_exceptions})\n"
              'log("gather", {0}, s[{0}].done())',
    "shield": 's[{0}] = {shielded}\nlog("shield", {0}, s[{0}].done())',
    "completing": 'c[{0}] = completing({sources_and}timeout={limit})\nlog("completing", {0})',
    "new_timeout": "timeouts[{0}] = {make_timeout}",
    "reschedule": 'timeouts[{0}].reschedule({when_or_none})\nlog("reschedule", {0})',
    "expired": 'log("expired", {0}, timeouts[{0}].expired(), moment(timeouts[{0}].when()), repr(timeouts[{0}]))',
    "new_group": "groups[{0}] = asyncio.TaskGroup()",
    "group_state": 'log("group_state", {0}, shown_repr(repr(groups[{0}])))',
    "handle_cancel": "handle = handles[{0}]\nbefore = handle.cancelled()\nhandle.cancel()\n"
                     'log("handle_cancel", {0}, before, handle.cancelled())',
    "report": 'loop().call_exception_handler({{"message": "{0}"}})',
    "handler": "trace.handler_mode = {0}  # 1: fails with ValueError, 2: with KeyboardInterrupt",
    "stop": 'loop().stop()\nlog("stop")',
    "set_var": "tokens[{0}] = {var}.set({1})",
    "get_var": 'log("get_var", {0}, {var}.get())',
    "reset_var": '{var}.reset(tokens[{0}])\nlog("reset_var", {0}, {var}.get("none"))',
    "context": "contexts[{0}] = contextvars.copy_context()",
    "context_get": 'log("context_get", {0}, {1}, contexts[{0}].get({var}, "none"))',
    "release": '{thing}.release()\nlog("release", {0})',
    "locked": 'log("locked", {0}, {thing}.locked())',
    "thing_state": 'log("thing_state", {0}, shown_repr(repr({thing})))',
    "event_set": '{thing}.set()\nlog("event_set", {0})',
    "event_clear": '{thing}.clear()\nlog("event_clear", {0}, {thing}.is_set())',
    "set_flag": "flags[{0}] = {1}",
    "notify": '{thing}.notify{notified}\nlog("notify", {0}, {1})',
    "barrier_state": 'log("barrier_state", {0}, {thing}.parties, {thing}.n_waiting, {thing}.broken)',
    "put_nowait": '{thing}.put_nowait({1})\nlog("put_nowait", {0}, {1})',
    "get_nowait": 'log("get_nowait", {0}, {thing}.get_nowait())',
    "task_done": '{thing}.task_done()\nlog("task_done", {0})',
    "shutdown": '{thing}.shutdown({flag})\nlog("shutdown", {0}, {1})',
    "queue_state": 'log("queue_state", {0}, {thing}.maxsize, {thing}.qsize(), {thing}.empty(), {thing}.full())',
    "generator": 'g[{0}] = g{1}()\nlog("generator", {0})',
    "drop_generator": 'log("drop_generator", {0}, g.has({0}))\ng.clear({0})',
    "same_generator": "g[{0}] = g[{1}]",
}
SCHEDULED = {
    "soon": "handles[{0}] = loop().{call_soon}(ran{in_context})",
    "later": 'handles[{0}] = loop().call_later({ticks}, ran{in_context})\nlog("later", {0}, moment(handles[{0}].when()))',
    "at": "handles[{0}] = loop().call_at(loop().time() + {ticks}, ran{in_context})",
}


def indented(text, by=1):
    return "\n".join("    " * by + line if line else line for line in text.split("\n"))


def error_source(spec):
    if spec[0] == "G":
        return f'BaseExceptionGroup("{spec[1]}", [{", ".join(map(error_source, spec[2]))}])'
    if spec[0] == "S":
        return f"SystemExit({spec[1] or 0})"
    return f'{ERRORS[spec[0]]}({repr(spec[1]) if spec[1] else ""})'.replace("'", '"')


class Printer:
    def __init__(self, program):
        self.program = program
        self.names = [f"{spec[0].replace('shared_', '')}{i}" for i, spec in enumerate(program[0])]
        self.depth = 0

    def source(self):
        called, generators = language.used_functions(self.program)
        parts = [HEAD]
        for spec, name in zip(self.program[0], self.names):
            size = self.names[spec[1]] if spec[0] == "shared_cond" else spec[-1]
            parts[0] += f"\n{name} = {THINGS[spec[0]].format(size)}"
        for number, body in enumerate(self.program[1]):
            if number in called:
                parts.append(f"@function({number})\nasync def f{number}():\n{indented(self.block(body, False))}")
            if number in generators:
                begin = f'log("begin", {number}, X.get(), Y.get())\n'
                parts.append(f"async def g{number}():\n{indented(begin + self.block(body, True))}")
        mains = ", ".join(f"f{number}" for number in (self.program[2] if len(self.program) > 2 else [0]))
        return "\n\n\n".join(parts) + f"\n\n\nrun({mains})\n"

    def block(self, statements, yields):
        return "\n".join(self.statement(statement, yields) for statement in statements) or "pass"

    def statement(self, statement, yields):
        name = statement[0]
        if name == "return":
            return "return" if yields else f"return {statement[1]}"
        if name == "yield" and not yields:
            return 'log("yield", "no generator")'
        if name == "fail":
            return f"raise {error_source(statement[1])}"
        special = getattr(self, "print_" + name, None)
        if special:
            text = special(statement, yields)
        elif name in SCHEDULED:
            body = f'log("ran", {statement[1]}, X.get(), Y.get())\n' + self.block(statement[-1], False)
            text = f"def ran():\n{indented(body)}\n" + self.filled(SCHEDULED[name], statement)
        else:
            text = self.filled(SIMPLE[name], statement)
        return f'with {"plain" if name in language.PLAIN else "step"}("{name}"):\n{indented(text)}'

    def filled(self, template, statement):
        shown = {}
        for kind, i in language.fields(statement):
            shown.update(self.shown(kind, statement[i]))
        if statement[0] in ("task", "group_task", "await_task"):
            shown["task_options"] = self.task_options(statement)
        if statement[0] in ("timeout", "new_timeout"):
            shown["make_timeout"] = self.make_timeout(statement)
        return template.format(*statement[1:], **shown)

    def shown(self, kind, value):
        """How fields of this kind look in source."""
        if kind in ("ticks", "when"):
            return {"ticks": f"{value} * TICK"}
        if kind == "limit":
            when = "None" if value < 0 else f"loop().time() + {value} * TICK"
            return {"limit": "None" if value < 0 else f"{value} * TICK", "when_or_none": when}
        if kind == "source":
            if isinstance(value, list):
                return {"source": f"f{value[1]}()", "shielded": f"asyncio.shield(f{value[1]}())"}
            return {"source": f"s[{value}]", "shielded": f"shielded(s[{value}])"}
        if kind in ("sources", "slots"):
            listed = [f"f{one[1]}" if isinstance(one, list) else str(one) for one in value]
            return {kind: ", ".join(listed), "sources_and": "".join(one + ", " for one in listed)}
        if kind in language.THINGS_OF_FIELD:
            return {"thing": self.names[value]}
        if kind == "context":
            return {"in_context": f", **in_context({value})" if value >= 0 else ""}
        return {
            "error": lambda: {"error": error_source(value)},
            "message": lambda: {"message": f'"{value}"' if value else ""},
            "return_when": lambda: {"return_when": RETURN_WHEN[value]},
            "factory": lambda: {"factory": FACTORIES[value]},
            "context_var": lambda: {"var": "XYZ"[value]},
            "notified": lambda: {"notified": "_all()" if value < 0 else f"({value})"},
            "flag": lambda: {"flag": bool(value), "return_exceptions": "return_exceptions=True" if value else "",
                             "call_soon": "call_soon_threadsafe" if value else "call_soon"},
        }.get(kind, dict)()

    def task_options(self, statement):
        of = {kind: statement[i] for kind, i in language.fields(statement)}
        text = f', name="{of["name"]}"' if of["name"] else ""
        if of.get("context", -1) >= 0:
            return text + f', **in_context({of["context"]}, eager={of["eager"]})'
        return text + (f', eager_start={bool(of["eager"])}' if of["eager"] >= 0 else "")

    def make_timeout(self, statement):
        limit = statement[2]
        if statement[3]:
            return f"asyncio.timeout_at({'None' if limit < 0 else f'loop().time() + {limit} * TICK'})"
        return f"asyncio.timeout({'None' if limit < 0 else f'{limit} * TICK'})"

    # Statements with blocks.

    def print_loop(self, s, yields):
        return f"for _ in range({s[1]}):\n{indented(self.block(s[2], yields))}"

    def print_try(self, s, yields):
        text = f"try:\n{indented(self.block(s[1], yields))}"
        for pattern, action, block in s[2]:
            body = f'log("except", "{pattern}", describe(error))'
            if block:
                body += "\n" + self.block(block, yields)
            if action == "reraise":
                body += "\nraise"
            elif action != "swallow":
                body += f"\nraise {error_source(action)}"
            text += f"\nexcept {PATTERNS[pattern]} as error:\n{indented(body)}"
        if s[3]:
            text += ("" if s[2] else "\nexcept ():\n    pass") + f"\nelse:\n{indented(self.block(s[3], yields))}"
        if s[4] or not (s[2] or s[3]):
            text += f"\nfinally:\n{indented(self.block(s[4], yields))}"
        return text

    def print_except_star(self, s, yields):
        return (f"try:\n{indented(self.block(s[1], yields))}\nexcept BaseExceptionGroup as group:\n"
                f"    matched, rest = group.split({PATTERNS[s[2]]})\n"
                f'    log("except*", describe_or_none(matched), describe_or_none(rest))\n'
                f"    if matched is not None:\n{indented(self.block(s[3], yields), 2)}\n"
                f"    if rest is not None:\n        raise rest")

    def in_block(self, manager, s, body, before="", after="", final=""):
        """`manager` is made and kept in a variable of its own, since the slot may get another one meanwhile."""
        self.depth += 1
        name = f"cm{self.depth}"
        text = f"async with {name}:\n{indented(before + self.block(body, False))}{after}"
        self.depth -= 1
        if final:
            text = f"try:\n{indented(text)}\nfinally:\n    {final.format(name)}"
        return manager.format(name) + "\n" + text

    def print_timeout(self, s, _):
        return self.in_block(f"{{0}} = timeouts[{s[1]}] = {self.make_timeout(s)}", s, s[4],
                             final=f'log("timeout", {s[1]}, {{0}}.expired())')

    def print_enter_timeout(self, s, _):
        return self.in_block(f"{{0}} = timeouts[{s[1]}]", s, s[2], final=f'log("timeout", {s[1]}, {{0}}.expired())')

    def print_group(self, s, _):
        return self.in_block(f"{{0}} = groups[{s[1]}] = asyncio.TaskGroup()", s, s[2], after=f'\nlog("group", {s[1]})')

    def print_enter_group(self, s, _):
        return self.in_block(f"{{0}} = groups[{s[1]}]", s, s[2], after=f'\nlog("group", {s[1]})')

    def print_with(self, s, _):
        body = f'log("with", {s[1]})\n' + self.block(s[2], False)
        return f'async with {self.names[s[1]]}:\n{indented(body)}\nlog("left", {s[1]})'

    def print_guard(self, s, yields):
        body = f'log("guard", {s[1]})\n' + self.block(s[2], yields)
        return f"async with guard({self.names[s[1]]}):\n{indented(body)}"

    def print_each(self, s, yields):
        body = f'log("each", {s[1]}, "=", value)\n' + self.block(s[3], yields)
        if s[2]:
            body += f"\ncount += 1\nif count == {s[2]}:\n    break"
        start = "count = 0\n" if s[2] else ""
        return f'{start}async for value in g[{s[1]}]:\n{indented(body)}\nelse:\n    log("each", {s[1]}, "end")'

    def print_callback(self, s, _):
        body = f'log("called", {s[2]}, outcome(done), X.get(), Y.get())\n' + self.block(s[4], False)
        context = self.shown("context", s[3])["in_context"]
        return (f"future = s[{s[1]}]\ndef called(done):\n{indented(body)}\n"
                f"future.add_done_callback(called{context})\ncallbacks[{s[2]}] = future, called")

    def print_context_run(self, s, _):
        return (f'def inside():\n{indented(self.block(s[2], False))}\n'
                f'contexts[{s[1]}].run(inside)\nlog("context_run", {s[1]})')


def source(program):
    return Printer(program).source()
