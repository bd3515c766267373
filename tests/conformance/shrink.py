"""Makes a failing program as small as it gets while it still fails."""
import copy
import json

# Where a statement has blocks; the handlers of a `try` are a case of their own.
BLOCKS = {"loop": (2,), "try": (1, 3, 4), "except_star": (1, 3), "timeout": (4,), "group": (2,), "with": (2,), "callback": (4,),
          "soon": (3,), "later": (3,), "at": (3,), "context_run": (2,)}
NEED_ONE = {"try", "except_star", "timeout", "group", "loop", "with"}
PLAIN_BLOCKS = {"callback", "soon", "later", "at", "context_run"}
SIMPLER = {  # (operation, argument): what is simpler
    ("sleep", 1): 0, ("timeout", 2): 0, ("timeout", 3): 0, ("wait_for", 2): 0, ("wait", 2): -1, ("as_completed", 2): -1,
    ("as_completed", 4): 0, ("task", 3): "", ("task", 4): -1, ("task", 5): -1, ("group_task", 4): "", ("group_task", 5): -1,
    ("group_task", 6): -1, ("await_task", 2): "", ("await_task", 3): -1, ("cancel", 2): "", ("cancel_self", 1): "",
    ("gather", 2): 0, ("set_result", 2): 0, ("later", 2): 0, ("at", 2): 0, ("callback", 3): -1, ("soon", 2): -1,
    ("loop", 1): 1, ("return", 1): 1,
}
LISTS = {"wait": 1, "gather": 3, "as_completed": 1}
ERRORS = {"raise": 1, "fail": 1, "set_exception": 2}


def replaced(program, path, value):
    result = copy.deepcopy(program)
    node = result
    for index in path[:-1]:
        node = node[index]
    node[path[-1]] = value
    return result


def blocks(statement):
    """The paths, from the statement, of the blocks in it."""
    found = [(i,) for i in BLOCKS.get(statement[0], ())]
    if statement[0] == "try":
        found += [(2, i, 2) for i in range(len(statement[2]))]
    return found


def get(node, path):
    for index in path:
        node = node[index]
    return node


def edits(program, path):
    """Programs in which the block at `path` is simpler."""
    block = get(program, path)
    if len(block) > 3:
        half = len(block) // 2
        yield replaced(program, path, block[:half])
        yield replaced(program, path, block[half:])
    for i in range(len(block)):
        yield replaced(program, path, block[:i] + block[i + 1:])
    for i, statement in enumerate(block):
        name = statement[0]
        for part in blocks(statement):
            inner = get(statement, part)
            if inner:
                yield replaced(program, path, block[:i] + inner + block[i + 1:])
    for i, statement in enumerate(block):
        name = statement[0]
        here = (*path, i)
        if name == "try":
            for k in range(len(statement[2])):
                yield replaced(program, (*here, 2), statement[2][:k] + statement[2][k + 1:])
                if statement[2][k][1] != "swallow":
                    yield replaced(program, (*here, 2, k, 1), "swallow")
        for part in blocks(statement):
            yield from edits(program, (*here, *part))
        for k, value in enumerate(statement):
            if (name, k) in SIMPLER and value != SIMPLER[name, k]:
                yield replaced(program, (*here, k), SIMPLER[name, k])
                if isinstance(value, int) and value > 1:
                    yield replaced(program, (*here, k), value - 1)
        if name in LISTS:
            value = statement[LISTS[name]]
            for k in range(len(value)):
                yield replaced(program, (*here, LISTS[name]), value[:k] + value[k + 1:])
        if name in ERRORS and statement[ERRORS[name]] != ["V", "x"]:
            spec = statement[ERRORS[name]]
            yield replaced(program, (*here, ERRORS[name]), ["V", "x"])
            for child in spec[2] if spec[0] == "G" else ():
                yield replaced(program, (*here, ERRORS[name]), child)


def candidates(program):
    """Programs a little simpler, the boldest first."""
    for number, body in enumerate(program[1]):
        if len(body) > 1:
            yield replaced(program, (1, number), [])
    for number in range(len(program[1])):
        yield from edits(program, (1, number))
    if len(program[1]) > 1 and not program[1][-1] and f"{len(program[1]) - 1}" not in json.dumps(program[1]):
        yield replaced(program, (1,), program[1][:-1])
    if program[0]:
        yield replaced(program, (0,), [])


def shrink(program, failing, most=4000):
    """`failing(programs)` gives the position of the first one that still fails, or None."""
    tried = set()
    while len(tried) < most:
        batch = []
        found = None
        for candidate in candidates(program):
            key = json.dumps(candidate)
            if key in tried:
                continue
            tried.add(key)
            batch.append(candidate)
            if len(batch) == 60:
                found = failing(batch)
                if found is not None:
                    break
                batch = []
        if found is None and batch:
            found = failing(batch)
        if found is None:
            break
        program = batch[found]
    return program
