"""Makes a failing program as small as it gets while it still fails."""
import copy
import itertools
import json

import language

SIMPLEST = {  # of the fields that have a simplest value
    "ticks": 0, "when": 0, "value": 1, "times": 1, "most": 0, "message": "", "name": "", "eager": -1, "context": -1,
    "flag": 0, "iteration": "plain", "return_when": "all", "factory": 0, "notified": 1, "pattern": "base",
}
DESPAIR = 4000  # programs tried


def replaced(program, path, value):
    result = copy.deepcopy(program)
    node = result
    for index in path[:-1]:
        node = node[index]
    node[path[-1]] = value
    return result


def get(node, path):
    for index in path:
        node = node[index]
    return node


def simpler_errors(spec):
    if spec != ["V", "x"]:
        yield ["V", "x"]
    if spec[0] == "G":
        yield from spec[2]
        if len(spec[2]) > 1:
            for i in range(len(spec[2])):
                yield ["G", spec[1], spec[2][:i] + spec[2][i + 1:]]


def simpler_values(kind, value):
    """Simpler values for a field that is no block."""
    if kind in SIMPLEST and value != SIMPLEST[kind]:
        yield SIMPLEST[kind]
    if kind == "limit":
        yield from (simple for simple in (-1, 0) if simple < value)
    if kind in ("ticks", "limit", "times") and value > 1:
        yield value - 1
    if kind in ("slots", "sources"):
        yield from (value[:i] + value[i + 1:] for i in range(len(value)))
    if kind == "error":
        yield from simpler_errors(value)
    if kind == "handlers":
        for i, handler in enumerate(value):
            yield value[:i] + value[i + 1:]
            if handler[1] != "swallow":
                yield value[:i] + [[handler[0], "swallow", handler[2]]] + value[i + 1:]


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
        for kind, part in language.blocks(statement):
            inner = get(statement, part)
            if inner and kind != "plain_block":
                yield replaced(program, path, block[:i] + inner + block[i + 1:])
    for i, statement in enumerate(block):
        here = (*path, i)
        for _, part in language.blocks(statement):
            yield from edits(program, (*here, *part))
        for kind, k in language.fields(statement):
            for value in simpler_values(kind, statement[k]):
                yield replaced(program, (*here, k), value)


def is_used(program, number):
    """Whether a function is called, or begins a run."""
    if number in (program[2] if len(program) > 2 else [0]):
        return True
    for statement in language.all_statements(program):
        for kind, i in language.fields(statement):
            value = statement[i]
            if kind in ("function", "generator_function") and value == number:
                return True
            if kind in ("source", "sources") and ["f", number] in (value if kind == "sources" else [value]):
                return True
    return False


def without_things(program):
    """The program without the last of the locks and queues, if nothing uses it."""
    last = len(program[0]) - 1
    for statement in language.all_statements(program):
        if any(kind in language.THINGS_OF_FIELD and statement[i] == last for kind, i in language.fields(statement)):
            return None
    return replaced(program, (0,), program[0][:-1])


def candidates(program):
    """Programs a little simpler, the boldest first."""
    if len(program) > 2 and len(program[2]) > 1:
        yield replaced(program, (2,), program[2][:1])
        yield replaced(program, (2,), program[2][1:])
    for number, body in enumerate(program[1]):
        if len(body) > 1:
            yield replaced(program, (1, number), [])
    for number in range(len(program[1])):
        yield from edits(program, (1, number))
    if len(program[1]) > 1 and not is_used(program, len(program[1]) - 1):
        yield replaced(program, (1,), program[1][:-1])
    if program[0] and (fewer := without_things(program)):
        yield fewer


def shrink(program, failing):
    """`failing(programs)` gives the position of the first one that still fails, or None."""
    tried = set()
    while len(tried) < DESPAIR:
        fresh = (candidate for candidate in candidates(program) if json.dumps(candidate) not in tried)
        found = None
        size = 8
        while found is None:
            batch = list(itertools.islice(fresh, size))
            if not batch:
                return program
            tried.update(map(json.dumps, batch))
            found = failing(batch)
            size = 60
        program = batch[found]
    return program
