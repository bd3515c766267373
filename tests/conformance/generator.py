"""Random programs of the conformance language, the same for the same seed.

Weighted towards trouble: few slots and short times, so that cancels, failures and completions meet in one turn; each
program has a focus, so that a construct meets itself. A function calls only functions after it: every program ends.
"""
import json
import random

SLOTS = 5
FOCI = {
    "cancel": ("cancel", "cancel_self", "uncancel", "cancelling", "task", "await", "try"),
    "timeout": ("timeout", "wait_for", "reschedule", "expired", "cancel", "sleep"),
    "group": ("group", "group_task", "cancel", "timeout", "raise"),
    "gather": ("gather", "shield", "await", "cancel", "set_result", "set_exception"),
    "wait": ("wait", "as_completed", "await", "cancel", "task"),
    "future": ("future", "set_result", "set_exception", "state", "result", "exception", "callback", "remove_callback"),
    "loop": ("soon", "later", "at", "handle_cancel", "callback", "report"),
    "context": ("context", "context_run", "set_var", "get_var", "reset_var", "task", "soon"),
    "eager": ("eager_factory", "task", "group_task", "group", "await_task", "gather", "all_tasks"),
    "sync": ("with", "acquire", "release", "cancel", "task", "timeout", "wait_for"),
    "mixed": (),
}
SYNC = {
    "lock": (), "event": (), "cond": (), "sem": (0, 1, 2), "bsem": (1, 2), "barrier": (1, 2, 3), "queue": (0, 1, 2),
    "pqueue": (0, 2), "lqueue": (0, 2),
}


class Generator:
    def __init__(self, seed, sync=True):
        self.random = random.Random(seed)
        self.fatal = self.chance(0.04)
        self.sync = sync
        self.count = self.random.choice((2, 3, 3, 4, 5))
        foci = list(FOCI)
        if not sync:
            foci.remove("sync")
        self.focus = self.random.choice(foci)
        self.boost = {name: 5 for name in FOCI[self.focus]}
        self.objects = []
        if sync and (self.focus == "sync" or self.chance(0.15)):
            for _ in range(self.random.choice((1, 1, 2))):
                kind = self.random.choice(list(SYNC))
                self.objects.append([kind, *([self.random.choice(SYNC[kind])] if SYNC[kind] else [])])
        self.budget = self.random.choice((8, 12, 18, 26, 40))

    def chance(self, probability):
        return self.random.random() < probability

    def program(self):
        functions = [self.function(number) for number in range(self.count)]
        return [self.objects, functions]

    def function(self, number):
        self.number = number
        self.left = self.budget // 2 + 3 if number else self.budget
        body = self.block(0, 2, 7)
        if number == 0:
            # Main begins with tasks: without them nothing meets.
            body = [self.do_task() if self.chance(0.8) else self.do_future() for _ in range(self.random.choice((1, 2, 3)))] + body
        if self.chance(0.6):
            body.append(["return", self.random.randrange(1, 9)])
        return body

    # Parts of statements.

    def slot(self):
        if self.chance(0.06):
            return 0
        return self.random.randrange(1, SLOTS)

    def ticks(self):
        return self.random.choice((0, 0, 0, 1, 1, 2, 3, 5))

    def limit(self):
        return self.random.choice((-1, 0, 0, 1, 1, 2, 3, 4))

    def later(self):
        """A function that this one may call, or None."""
        if self.number + 1 >= self.count:
            return None
        return self.random.randrange(self.number + 1, self.count)

    def message(self):
        return self.random.choice(("", "", "m1", "m2"))

    def name(self):
        return self.random.choice(("", "", "a", "b", "c"))

    def eager(self):
        return self.random.choice((-1, -1, -1, -1, 0, 1, 1))

    def context_slot(self):
        return self.random.choice((-1, -1, -1, 0, 1))

    def error(self, depth=0):
        kinds = ["V"] * 6 + ["R"] * 3 + ["L", "O", "T", "C", "C", "B", "B"]
        if self.fatal:
            kinds += ["K", "S"] * 3
        if depth < 2:
            kinds += ["G"] * 2
        kind = self.random.choice(kinds)
        if kind == "G":
            return ["G", self.random.choice(("g1", "g2")),
                    [self.error(depth + 1) for _ in range(self.random.choice((1, 2, 2, 3)))]]
        if kind == "S":
            return ["S", self.random.choice(("1", "3"))]
        if kind == "K":
            return ["K", ""]
        return [kind, self.random.choice(("", "x", "y", "z")) if kind in "CT" else self.random.choice("xyz")]

    def source(self):
        """A slot, or a function to call."""
        number = self.later()
        if number is not None and self.chance(0.35):
            return ["f", number]
        return self.slot()

    def object(self, *kinds):
        found = [i for i, spec in enumerate(self.objects) if spec[0] in kinds]
        return self.random.choice(found) if found else None

    # Blocks.

    def block(self, depth, least, most):
        statements = []
        for _ in range(self.random.randint(least, most)):
            if self.left <= 0:
                break
            statements.append(self.statement(depth))
        return statements or [["sleep", 0]]

    def plain_block(self, depth=0):
        return [self.plain(depth) for _ in range(self.random.choice((0, 0, 1, 1, 2)))]

    def statement(self, depth):
        self.left -= 1
        options = [
            (8, "sleep"), (8, "await"), (6, "task"), (2, "await_task"), (4, "call"), (2, "raise"), (1, "return"),
            (3, "wait_for"), (3, "wait"), (2, "as_completed"), (0.3, "reenter_timeout"), (0.3, "reenter_group"),
            *PLAIN_WEIGHTS,
        ]
        if depth < 4:
            options += [(6, "try"), (5, "timeout"), (5, "group"), (1, "loop"), (1, "except_star")]
        if self.objects:
            options += [(weight * 3, name) for weight, name in SYNC_AWAITING + SYNC_PLAIN]
        while True:
            name = self.choose(options)
            made = getattr(self, "do_" + name)
            statement = made(depth) if name in NESTED else made()
            if statement is not None:
                return statement

    def plain(self, depth=0):
        options = list(PLAIN_WEIGHTS) + [(1.5, "fail")]
        if self.objects:
            options += [(weight * 3, name) for weight, name in SYNC_PLAIN]
        if depth >= 2:
            options = [one for one in options if one[1] not in NESTED]
        while True:
            name = self.choose(options)
            made = getattr(self, "do_" + name)
            statement = made(depth) if name in NESTED else made()
            if statement is not None:
                return statement

    def choose(self, options):
        weights = [weight * self.boost.get(name, 1) for weight, name in options]
        return self.random.choices(options, weights)[0][1]

    # Awaiting statements.

    def do_sleep(self):
        return ["sleep", self.ticks()]

    def do_await(self):
        return ["await", self.slot()]

    def do_call(self):
        number = self.later()
        return None if number is None else ["call", number]

    def do_await_task(self):
        number = self.later()
        return None if number is None else ["await_task", number, self.name(), self.eager()]

    def do_raise(self):
        return ["raise", self.error()]

    def do_return(self):
        return ["return", self.random.randrange(1, 9)] if self.chance(0.5) else None

    def do_wait_for(self):
        return ["wait_for", self.source(), self.limit()]

    def do_wait(self):
        slots = [self.slot() for _ in range(self.random.choice((1, 2, 2, 3)))]
        return ["wait", slots, self.limit(), self.random.choice(("all", "first", "exception"))]

    def do_as_completed(self):
        sources = [self.source() for _ in range(self.random.choice((0, 1, 2, 2, 3)))]
        return ["as_completed", sources, self.limit(), self.random.choice(("plain", "async")),
                self.random.choice((0, 0, 1, 2))]

    def do_loop(self, depth):
        return ["loop", self.random.choice((2, 2, 3)), self.block(depth + 1, 1, 3)]

    def do_try(self, depth):
        body = self.block(depth + 1, 1, 4)
        handlers = []
        for _ in range(self.random.choice((0, 1, 1, 1, 2))):
            pattern = self.random.choice(("cancel", "cancel", "cancel", "exception", "exception", "base", "timeout", "value",
                                          "group", "app", "runtime", "shutdown", "broken"))
            action = self.random.choice(("swallow", "swallow", "reraise", "reraise", None))
            handlers.append([pattern, action or self.error(), self.block(depth + 1, 0, 2) if self.chance(0.7) else []])
        otherwise = self.block(depth + 1, 1, 2) if self.chance(0.15) else []
        final = self.block(depth + 1, 1, 2) if not handlers or self.chance(0.4) else []
        return ["try", body, handlers, otherwise, final]

    def do_except_star(self, depth):
        return ["except_star", self.block(depth + 1, 1, 3), self.random.choice(("value", "runtime", "cancel", "app", "base")),
                self.block(depth + 1, 1, 2)]

    def do_timeout(self, depth):
        return ["timeout", self.random.randrange(3), self.limit(), int(self.chance(0.2)), self.block(depth + 1, 1, 4)]

    def do_group(self, depth):
        slot = self.random.randrange(3)
        body = self.block(depth + 1, 0, 3)
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            task = self.do_group_task()
            if task is not None:
                task[1] = slot
                body.insert(self.random.randint(0, len(body)), task)
        return ["group", slot, body]

    def do_reenter_timeout(self):
        return ["reenter_timeout", self.random.randrange(3)]

    def do_reenter_group(self):
        return ["reenter_group", self.random.randrange(3)]

    # Plain statements.

    def do_log(self):
        return ["log", self.random.randrange(100)]

    def do_fail(self):
        return ["fail", self.error()]

    def do_task(self):
        number = self.later()
        if number is None:
            return None
        return ["task", self.random.randrange(1, SLOTS), number, self.name(), self.eager(), self.context_slot()]

    def do_group_task(self):
        number = self.later()
        if number is None:
            return None
        return ["group_task", self.random.randrange(3), self.random.randrange(1, SLOTS), number, self.name(), self.eager(),
                self.context_slot()]

    def do_cancel(self):
        return ["cancel", self.slot(), self.message()]

    def do_cancel_self(self):
        return ["cancel_self", self.message()]

    def do_uncancel(self):
        return ["uncancel", self.random.choice((-1, -1, self.slot()))]

    def do_cancelling(self):
        return ["cancelling", self.slot()]

    def do_future(self):
        return ["future", self.random.randrange(1, SLOTS)]

    def do_set_result(self):
        return ["set_result", self.slot(), self.random.randrange(100)]

    def do_set_exception(self):
        spec = self.error()
        return None if spec[0] in "KS" else ["set_exception", self.slot(), spec]

    def do_state(self):
        return ["state", self.slot()]

    def do_result(self):
        return ["result", self.slot()]

    def do_exception(self):
        return ["exception", self.slot()]

    def do_set_name(self):
        return ["set_name", self.slot(), self.random.choice(("p", "q"))]

    def do_callback(self, depth):
        return ["callback", self.slot(), self.random.randrange(4), self.context_slot(), self.plain_block(depth + 1)]

    def do_remove_callback(self):
        return ["remove_callback", self.random.randrange(4)]

    def do_soon(self, depth):
        return ["soon", self.random.randrange(4), self.context_slot(), self.plain_block(depth + 1)]

    def do_later(self, depth):
        return ["later", self.random.randrange(4), self.ticks(), self.plain_block(depth + 1)]

    def do_at(self, depth):
        return ["at", self.random.randrange(4), self.random.choice((-1, 0, 1, 2, 3)), self.plain_block(depth + 1)]

    def do_handle_cancel(self):
        return ["handle_cancel", self.random.randrange(4)]

    def do_gather(self):
        sources = [self.source() for _ in range(self.random.choice((0, 1, 2, 2, 2, 3, 3)))]
        return ["gather", self.random.randrange(1, SLOTS), int(self.chance(0.4)), sources]

    def do_shield(self):
        return ["shield", self.random.randrange(1, SLOTS), self.source()]

    def do_ensure_future(self):
        return ["ensure_future", self.random.randrange(1, SLOTS), self.slot()]

    def do_reschedule(self):
        return ["reschedule", self.random.randrange(3), self.limit()]

    def do_expired(self):
        return ["expired", self.random.randrange(3)]

    def do_set_var(self):
        return ["set_var", self.random.randrange(2), self.random.randrange(1, 9)]

    def do_get_var(self):
        return ["get_var", self.random.randrange(2)]

    def do_reset_var(self):
        return ["reset_var", self.random.randrange(2)]

    def do_context(self):
        return ["context", self.random.randrange(2)]

    def do_context_run(self, depth):
        return ["context_run", self.random.randrange(2), self.plain_block(depth + 1)]

    def do_eager_factory(self):
        return ["eager_factory", int(self.chance(0.8))]

    def do_all_tasks(self):
        return ["all_tasks"]

    def do_report(self):
        return ["report", self.random.choice(("r1", "r2"))]

    # Locks and queues. None where the program has no object of the kind.

    def on(self, op, number, *rest):
        return None if number is None else [op, number, *rest]

    def do_with(self, depth):
        number = self.object("lock", "cond", "sem", "bsem", "barrier")
        return None if number is None else ["with", number, self.block(depth + 1, 1, 3)]

    def do_acquire(self):
        return self.on("acquire", self.object("lock", "cond", "sem", "bsem"))

    def do_release(self):
        return self.on("release", self.object("lock", "cond", "sem", "bsem"))

    def do_locked(self):
        return self.on("locked", self.object("lock", "cond", "sem", "bsem"))

    def do_event_wait(self):
        return self.on("event_wait", self.object("event"))

    def do_event_set(self):
        return self.on("event_set", self.object("event"))

    def do_event_clear(self):
        return self.on("event_clear", self.object("event"))

    def do_cond_wait(self):
        return self.on("cond_wait", self.object("cond"))

    def do_notify(self):
        return self.on("notify", self.object("cond"), self.random.choice((1, 1, 2, -1)))

    def do_barrier_wait(self):
        return self.on("barrier_wait", self.object("barrier"))

    def do_barrier_reset(self):
        return self.on("barrier_reset", self.object("barrier"))

    def do_barrier_abort(self):
        return self.on("barrier_abort", self.object("barrier"))

    def do_barrier_state(self):
        return self.on("barrier_state", self.object("barrier"))

    def do_put(self):
        return self.on("put", self.object("queue", "pqueue", "lqueue"), self.random.randrange(100))

    def do_get(self):
        return self.on("get", self.object("queue", "pqueue", "lqueue"))

    def do_join(self):
        return self.on("join", self.object("queue", "pqueue", "lqueue"))

    def do_put_nowait(self):
        return self.on("put_nowait", self.object("queue", "pqueue", "lqueue"), self.random.randrange(100))

    def do_get_nowait(self):
        return self.on("get_nowait", self.object("queue", "pqueue", "lqueue"))

    def do_task_done(self):
        return self.on("task_done", self.object("queue", "pqueue", "lqueue"))

    def do_shutdown(self):
        return self.on("shutdown", self.object("queue", "pqueue", "lqueue"), int(self.chance(0.3)))

    def do_queue_state(self):
        return self.on("queue_state", self.object("queue", "pqueue", "lqueue"))


NESTED = {"try", "except_star", "timeout", "group", "loop", "with", "callback", "soon", "later", "at", "context_run"}
PLAIN_WEIGHTS = [
    (1, "log"), (3, "task"), (5, "cancel"), (1.5, "cancel_self"), (2, "uncancel"), (1, "cancelling"), (2, "future"),
    (3, "set_result"), (2, "set_exception"), (1, "state"), (0.7, "result"), (0.7, "exception"), (0.2, "set_name"),
    (2, "callback"), (0.7, "remove_callback"), (1, "soon"), (1, "later"), (0.5, "at"), (0.6, "handle_cancel"),
    (2, "gather"), (2, "shield"), (0.2, "ensure_future"), (1.5, "reschedule"), (0.4, "expired"), (0.7, "set_var"),
    (0.5, "get_var"), (0.4, "reset_var"), (0.5, "context"), (0.4, "context_run"), (0.3, "eager_factory"), (0.3, "all_tasks"),
    (0.2, "report"), (1.5, "group_task"),
]
SYNC_AWAITING = [
    (2, "with"), (2, "acquire"), (2, "event_wait"), (2, "cond_wait"), (2, "barrier_wait"), (0.5, "barrier_reset"),
    (0.4, "barrier_abort"), (2, "put"), (3, "get"), (1, "join"),
]
SYNC_PLAIN = [
    (2, "release"), (0.5, "locked"), (1.5, "event_set"), (0.7, "event_clear"), (1.5, "notify"), (0.5, "barrier_state"),
    (1.5, "put_nowait"), (1, "get_nowait"), (1, "task_done"), (0.5, "shutdown"), (0.5, "queue_state"),
]


def program(seed, sync=True):
    return Generator(seed, sync).program()


def program_line(seed, sync=True):
    return json.dumps(program(seed, sync), separators=(",", ":"))


def operations(program):
    """Every statement's name in a program, with repetitions."""
    names = [spec[0] for spec in program[0]]

    def walk(node):
        if isinstance(node, list):
            if node and isinstance(node[0], str):
                names.append(node[0])
            for child in node:
                walk(child)
    walk(program[1])
    return names
