"""The statements of the conformance language: what stands behind the name of each.

A program is [things, functions, mains]: locks and queues; functions, each a list of statements; the numbers of the
functions that one Runner runs in turn. A statement is a list that begins with its name. See README.md.
"""

AWAITED = {
    # one task
    "sleep": ("ticks",),
    "sleep_value": ("ticks", "value"),
    "call": ("function",),
    "return": ("value",),
    "raise": ("error",),
    "await": ("slot",),
    "await_task": ("function", "name", "eager"),
    # blocks
    "loop": ("times", "block"),
    "try": ("block", "handlers", "optional_block", "optional_block"),
    "except_star": ("block", "pattern", "block"),
    "timeout": ("timeout", "limit", "flag", "inner_block"),
    "enter_timeout": ("timeout", "inner_block"),
    "group": ("group", "inner_block"),
    "enter_group": ("group", "inner_block"),
    # several futures
    "wait_for": ("source", "limit"),
    "wait": ("slots", "limit", "return_when"),
    "as_completed": ("sources", "limit", "iteration", "most"),
    "completed": ("completion", "iteration"),
    # locks and queues
    "with": ("manager", "inner_block"),
    "guard": ("lockable", "block"),
    "acquire": ("lockable",),
    "event_wait": ("event",),
    "cond_wait": ("condition",),
    "cond_wait_for": ("condition", "variable"),
    "barrier_wait": ("barrier",),
    "barrier_reset": ("barrier",),
    "barrier_abort": ("barrier",),
    "put": ("queue", "value"),
    "get": ("queue",),
    "join": ("queue",),
    # generators
    "yield": ("value",),
    "next": ("generator",),
    "each": ("generator", "most", "block"),
    "athrow": ("generator", "error"),
    "aclose": ("generator",),
}

PLAIN = {
    "log": ("value",),
    "fail": ("error",),
    # tasks
    "task": ("new_slot", "function", "name", "eager", "context"),
    "group_task": ("group", "new_slot", "function", "name", "eager", "context"),
    "task_factory": ("factory",),
    "cancel": ("slot", "message"),
    "cancel_self": ("message",),
    "uncancel": ("task_slot",),
    "cancelling": ("slot",),
    "set_name": ("slot", "label"),
    "all_tasks": (),
    # futures
    "future": ("new_slot",),
    "forget": ("new_slot",),
    "set_result": ("slot", "value"),
    "set_exception": ("slot", "error"),
    "state": ("slot",),
    "result": ("slot",),
    "exception": ("slot",),
    "ensure_future": ("new_slot", "slot"),
    "callback": ("slot", "callback", "context", "plain_block"),
    "remove_callback": ("callback",),
    "gather": ("new_slot", "flag", "sources"),
    "shield": ("new_slot", "source"),
    "completing": ("completion", "sources", "limit"),
    # blocks
    "new_timeout": ("timeout", "limit", "flag"),
    "reschedule": ("timeout", "limit"),
    "expired": ("timeout",),
    "new_group": ("group",),
    "group_state": ("group",),
    # the loop
    "soon": ("callback", "flag", "context", "plain_block"),
    "later": ("callback", "ticks", "context", "plain_block"),
    "at": ("callback", "when", "context", "plain_block"),
    "handle_cancel": ("callback",),
    "report": ("message",),
    "handler": ("handler",),
    "stop": (),
    # contexts
    "set_var": ("context_var", "value"),
    "get_var": ("context_var",),
    "reset_var": ("context_var",),
    "context": ("context_slot",),
    "context_run": ("context_slot", "plain_block"),
    "context_get": ("context_slot", "context_var"),
    # locks and queues
    "release": ("lockable",),
    "locked": ("lockable",),
    "thing_state": ("thing",),
    "event_set": ("event",),
    "event_clear": ("event",),
    "set_flag": ("variable", "factor"),
    "notify": ("condition", "notified"),
    "barrier_state": ("barrier",),
    "put_nowait": ("queue", "value"),
    "get_nowait": ("queue",),
    "task_done": ("queue",),
    "shutdown": ("queue", "flag"),
    "queue_state": ("queue",),
    # generators
    "generator": ("generator", "generator_function"),
    "drop_generator": ("generator",),
    "same_generator": ("generator", "generator"),
}

STATEMENTS = AWAITED | PLAIN
BLOCKS = {"block", "inner_block", "optional_block", "plain_block"}

THINGS = {  # and the sizes that they are given
    "lock": (), "event": (), "cond": (), "shared_cond": (), "sem": (0, 1, 2), "bsem": (1, 2), "barrier": (1, 2, 3),
    "queue": (0, 1, 2), "pqueue": (0, 2), "lqueue": (0, 2),
}
THINGS_OF_FIELD = {
    "event": {"event"}, "condition": {"cond", "shared_cond"}, "barrier": {"barrier"},
    "queue": {"queue", "pqueue", "lqueue"}, "lockable": {"lock", "cond", "shared_cond", "sem", "bsem"},
    "manager": {"lock", "cond", "shared_cond", "sem", "bsem", "barrier"}, "thing": set(THINGS),
}


def fields(statement):
    """The fields of a statement: kind, place in the statement."""
    return [(kind, i) for i, kind in enumerate(STATEMENTS[statement[0]], 1)]


def blocks(statement):
    """The paths, from the statement, of the blocks in it, with their kinds."""
    found = []
    for kind, i in fields(statement):
        if kind in BLOCKS:
            found.append((kind, (i,)))
        elif kind == "handlers":
            found += [("optional_block", (i, k, 2)) for k in range(len(statement[i]))]
    return found


def statements(block):
    """All statements of a block, with those inside."""
    for statement in block:
        yield statement
        for _, path in blocks(statement):
            inner = statement
            for index in path:
                inner = inner[index]
            yield from statements(inner)


def all_statements(program):
    for function in program[1]:
        yield from statements(function)


def errors(spec):
    """The kinds of an error and of those inside."""
    yield spec[0]
    for child in spec[2] if spec[0] == "G" else ():
        yield from errors(child)


def constructs(program):
    """What a program contains, for a summary: names of statements, things, kinds of error, handlers."""
    found = {"thing:" + spec[0] for spec in program[0]}
    if len(program) > 2 and len(program[2]) > 1:
        found.add("several runs")
    for statement in all_statements(program):
        found.add(statement[0])
        for kind, i in fields(statement):
            if kind == "error":
                found.update("error:" + name for name in errors(statement[i]))
            elif kind == "handlers":
                found.update("except:" + handler[0] for handler in statement[i])
            elif kind in ("return_when", "iteration"):
                found.add(f"{statement[0]}:{statement[i]}")
            elif kind == "eager" and statement[i] == 1:
                found.add("eager_start")
            elif kind == "factory":
                found.add(f"task_factory:{statement[i]}")
    return found


def used_functions(program):
    """The numbers of the functions that are called, and of those that are made generators."""
    called = set(program[2] if len(program) > 2 else [0])
    generators = set()
    for statement in all_statements(program):
        for kind, i in fields(statement):
            if kind == "function":
                called.add(statement[i])
            elif kind == "generator_function":
                generators.add(statement[i])
            elif kind in ("source", "sources"):
                called.update(one[1] for one in (statement[i] if kind == "sources" else [statement[i]]) if isinstance(one, list))
    return called, generators
