"""Finds a mutex that is locked over an await, for check_co_await.py: by a guard of the standard library, or by `mutex.lock();`."""
import re

from cpp_tokens import Group, flat, is_block, is_group

LOCK_GUARDS = {"lock_guard", "unique_lock", "scoped_lock", "shared_lock"}


def behind_arguments(items):
    """What follows the template arguments that these may begin with."""
    depth = 0
    for at, item in enumerate(items):
        depth += {"<": 1, ">": -1, ">>": -2}.get(item, 0) if isinstance(item, str) else 0
        if depth <= 0:
            return items[at + 1:] if at > 0 else items
    return []


def takes_a_lock(item):
    return (is_group(item, "(") or is_group(item, "{")) and "defer_lock" not in flat(item)


def names_of_guards(items):
    """The names of the std guards that are declared among these items, and hold from there on."""
    for at, item in enumerate(items):
        if not isinstance(item, str) or item not in LOCK_GUARDS:
            continue
        rest = behind_arguments(items[at + 1:])
        before = items[:at - 2] if items[at - 2:at] == ["std", "::"] else items[:at]
        if rest and takes_a_lock(rest[0]):  # auto guard = std::lock_guard(mutex)
            if len(before) > 1 and before[-1] == "=" and isinstance(before[-2], str) and re.fullmatch(r"\w+", before[-2]):
                yield str(before[-2])
        elif len(rest) > 1 and isinstance(rest[0], str) and re.fullmatch(r"\w+", rest[0]) and takes_a_lock(rest[1]):
            yield str(rest[0])


def locks_or_unlocks(items):
    """Of `mutex.lock()` and the like as a whole statement: the object's name and the function's; else None."""
    if len(items) < 4 or not is_group(items[-1], "(") or items[-1] or items[-3] not in (".", "->"):
        return None
    words = items[:-3]
    is_name = all(isinstance(word, str) and re.fullmatch(r"\w+|[.]|->|::", word) for word in words)
    if not is_name or items[-2] not in ("lock", "unlock", "lock_shared", "unlock_shared") or words[0] in ("co_await", "return"):
        return None
    return "".join(words), items[-2]


def awaits_under_locks(items, held=()):
    """The awaits at which a mutex is locked that was locked further up: their lines, and by which name."""
    held, statement = set(held), []

    def end_of_statement():
        awaited = next((word for word in flat(statement) if word in ("co_await", "co_yield")), None)
        headers = [part for part in statement[:-1] if is_group(part, "(")]  # if (std::unique_lock guard(mutex); guard) …
        locked = held.union(*(names_of_guards(header) for header in headers))
        if awaited and locked:
            yield awaited.line, min(locked)
        change = locks_or_unlocks(statement)
        if change and change[1].startswith("lock"):
            held.add(change[0])
        elif change:
            held.discard(change[0])
        held.update(names_of_guards(statement))

    for item in items:
        if is_group(item, "{") and not item.body and is_block(item, statement):
            headers = [part for part in statement if is_group(part, "(")]
            inner = held.union(*(names_of_guards(header) for header in headers))
            yield from end_of_statement()
            yield from awaits_under_locks(item, inner)
            statement.clear()
        elif item == ";":
            yield from end_of_statement()
            statement.clear()
        else:
            statement.append(item)
            if isinstance(item, Group):
                for body in lambdas(item):
                    yield from awaits_under_locks(body)
    yield from end_of_statement()


def lambdas(group):
    """The outermost bodies of lambdas in it."""
    if group.body:
        yield group
        return
    for item in group:
        if isinstance(item, Group):
            yield from lambdas(item)
