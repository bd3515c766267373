"""Makes a failing program as small as it gets while it still fails."""
import copy
import json


def candidates(program):
    """Programs a little smaller, the boldest first."""
    objects, functions = program
    # Empty a function.
    for number, body in enumerate(functions):
        if body:
            yield replaced(program, (1, number), [])
    yield from edits(program, functions, (1,))
    if objects and not any(uses_objects(body) for body in functions):
        yield replaced(program, (0,), [])


def uses_objects(node):
    return json.dumps(node).find("_wait") >= 0


def replaced(program, path, value):
    result = copy.deepcopy(program)
    node = result
    for index in path[:-1]:
        node = node[index]
    node[path[-1]] = value
    return result


def is_block(node):
    return isinstance(node, list) and all(isinstance(one, list) and one and isinstance(one[0], str) for one in node)


def edits(program, node, path):
    if not isinstance(node, list):
        return
    if is_block(node) and node:
        half = len(node) // 2
        if half > 1:
            yield replaced(program, path, node[:half])
            yield replaced(program, path, node[half:])
        for i in range(len(node)):
            yield replaced(program, path, node[:i] + node[i + 1:])
        for i, statement in enumerate(node):  # a block in the place of its statement
            for part in statement[1:]:
                if is_block(part) and part:
                    yield replaced(program, path, node[:i] + part + node[i + 1:])
    for i, child in enumerate(node):
        if isinstance(child, list):
            yield from edits(program, child, (*path, i))
    # Simpler arguments.
    if node and isinstance(node[0], str):
        op = node[0]
        for i, value in enumerate(node[1:], 1):
            if isinstance(value, str) and value and op in ("task", "group_task", "cancel", "cancel_self", "await_task"):
                yield replaced(program, (*path, i), "")
            if isinstance(value, int) and value > 0 and op in ("sleep", "timeout", "wait_for", "return", "set_result", "later"):
                if not (op == "timeout" and i == 1):
                    yield replaced(program, (*path, i), value // 2)
            if isinstance(value, int) and value >= 0 and (op, i) in {("task", 4), ("task", 5), ("group_task", 5), ("group_task", 6)}:
                yield replaced(program, (*path, i), -1)
            if isinstance(value, list) and len(value) > 1 and op in ("wait", "gather", "as_completed") and not is_block(value):
                for k in range(len(value)):
                    yield replaced(program, (*path, i), value[:k] + value[k + 1:])
        if op in "G" and len(node) == 3:
            for child in node[2]:
                yield replaced(program, path, child)


def shrink(program, fails, most=1500):
    """`fails(program)` says whether it still does."""
    tried = set()
    left = most
    progress = True
    while progress and left > 0:
        progress = False
        for candidate in candidates(program):
            key = json.dumps(candidate)
            if key in tried or len(key) > len(json.dumps(program)):
                continue
            tried.add(key)
            left -= 1
            if left <= 0:
                break
            if fails(candidate):
                program = candidate
                progress = True
                break
    return program
