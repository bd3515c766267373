"""Finds a lock that is never taken, for check_co_await.py: `lock.guard()` or `lock.acquire()` whose co_await is forgotten, where an
attribute or a cast keeps the compiler from telling."""
import re

from cpp_tokens import Group, flat, is_group
from dead_closures import all_words, statements

OPERATIONS = ("guard", "acquire")


def operations(items):
    """The calls `x.guard()` and `x.acquire()` that end these items, or end what is in their last bracket: what stands before, and the
    word."""
    if not items or not is_group(items[-1], "("):
        return
    call = items[-1]
    if call:
        yield from operations(call)
    elif len(items) > 3 and items[-2] in OPERATIONS and items[-3] in (".", "->"):
        yield items[:-3], items[-2]


def is_silenced(statement):
    words = list(flat(statement))
    is_cast = is_group(statement[0], "(") and statement[0] == ["void"] or words[:4] == ["static_cast", "<", "void", ">"]
    return is_cast or "maybe_unused" in words or words[:4] == ["std", "::", "ignore", "="]


def is_cast_away(name, statement):
    """Whether it is `(void)name;` or `static_cast<void>(name);`, which is no use of it."""
    return name is not None and list(flat(statement)) in (["void", name], ["static_cast", "<", "void", ">", name])


def declared_name(before):
    """The name of the variable that these items, up to a `=`, begin to declare; else None."""
    names = [word for word in before if isinstance(word, str) and re.fullmatch(r"\w+", word)]
    return names[-1] if len(names) > 1 else None


def is_token(before, tokens):
    """Whether it is what `ContextVar::set()` gives, whose guard() is no wait."""
    return before[-1] in tokens if isinstance(before[-1], str) else before[-2:-1] == ["set"]


def forgotten_awaits(items, tokens=()):
    """The lines of the calls whose wait is thrown away, and the functions' names."""
    tokens, block = set(tokens), list(statements(items))
    for at, statement in enumerate(block):
        for part in (statement, *headers(statement)):
            before = part[:part.index("=")] if "=" in part else []
            name = declared_name(before)
            if "set" in flat(part):
                tokens.add(name)
            if not part or "co_await" in flat(part):
                continue
            behind = [*block[at + 1:], statement[-1:] if part is not statement else []]
            used = [other for other in behind if not is_cast_away(name, other)]
            if not is_silenced(part) and len(used) == len(behind) or is_named(name, used):
                continue
            for object_, word in operations(part):
                if not is_token(object_, tokens):
                    yield word.line, word
    for item in items:
        yield from inner(item, tokens)


def is_named(name, items):
    words = list(all_words(items))
    return any(word == name and last not in (".", "->") for last, word in zip(["", *words], words))


def headers(statement):
    """What stands in `if (…; …)` before the block."""
    for item in statement[:-1]:
        if is_group(item, "(") and is_group(statement[-1], "{") and ";" in item:
            yield list(item[:item.index(";")])


def inner(item, tokens):
    if not isinstance(item, Group):
        return
    if item.sign == "{":
        yield from forgotten_awaits(item, tokens)
    else:
        for part in item:
            yield from inner(part, tokens)
