"""Finds tasks of a closure that is dead before they begin, for check_co_await.py: the coroutine of a local lambda with captures is
given away, and nothing is awaited between that and the end of the lambda's block."""
import re

from cpp_tokens import Group, flat, is_block, is_group

GIVE_AWAY = {"create_task", "ensure_future", "gather", "shield"}


def statements(items):
    """The statements of one block; an inner block belongs to the statement that it ends."""
    current = []
    for item in items:
        if item == ";":
            yield current
            current = []
            continue
        current.append(item)
        if is_group(item, "{") and not item.body and is_block(item, current[:-1]):
            yield current
            current = []
    yield current


def declared_closure(statement):
    """The name of the coroutine lambda with captures that a statement declares; else None."""
    if "=" not in statement:
        return None
    at = statement.index("=")
    lambda_ = statement[at + 1:]
    if at < 2 or not lambda_ or not getattr(lambda_[0], "introducer", False) or not lambda_[0] or "static" in statement[:at]:
        return None
    name, before = statement[at - 1], statement[at - 2]
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name) or not isinstance(before, str) or before in (".", "->", "::"):
        return None
    returns = lambda_[lambda_.index("->"):] if "->" in lambda_ else statement[:at]
    is_function = before == "auto" or "function" in statement[:at] or "move_only_function" in statement[:at]
    return name if is_function and "Coro" in flat(returns) else None


def calls_of(name, items):
    """The lines at which `create_task(name(…))` and its like, or `return name(…)`, stand."""
    for before, item in zip(["", *items], items):
        if not isinstance(item, Group) or item.body:
            continue
        if item.sign == "(" and isinstance(before, str) and before in GIVE_AWAY:
            yield from (word.line for last, word, call in zip([",", *item], item, item[1:])
                        if last == "," and word == name and is_group(call, "("))
        yield from calls_of(name, item)
    yield from (word.line for last, word, call in zip(items, items[1:], items[2:])
                if last == "return" and word == name and is_group(call, "("))


def dead_closures(items):
    """The lines where a task gets the coroutine of a closure that is gone before the task begins, and the closure's name."""
    names = []
    block = list(statements(items))
    is_eager = any(map(declared_closure, block)) and any("eager" in word for word in all_words(items))
    last = max((at for at, statement in enumerate(block) if goes_on(statement)), default=-1)
    for at, statement in enumerate(block):
        if names and not is_eager and at > last:
            for name in names:
                yield from ((line, name) for line in calls_of(name, statement))
        name = declared_closure(statement)
        if name:
            names.append(str(name))
    for item in items:
        yield from inner(item)


def all_words(items):
    for item in items:
        yield from all_words(item) if isinstance(item, list) else [item]


def goes_on(statement):
    """Whether it may let the task run: by an await, or by running the loop itself."""
    return any(word in ("co_await", "co_yield") for word in flat(statement)) or any(
        re.fullmatch(r"run(_\w+)?", word) for word in all_words(statement))


def inner(item):
    if not isinstance(item, Group):
        return
    if item.sign == "{":
        yield from dead_closures(item)
    else:
        for part in item:
            yield from inner(part)
