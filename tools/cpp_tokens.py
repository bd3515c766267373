"""The tokens of C++ as a tree of brackets, for check_co_await.py."""
import re

TOKEN = re.compile(
    r"""(?P<skip>//(?:[^\n\\]|\\.|\\\n)*|/\*.*?\*/|^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*|\s+)
      | (?P<raw>\bR"(?P<delimiter>[^(\s]*)\(.*?\)(?P=delimiter)")
      | (?P<text>"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)*')
      | (?P<word>operator\s+co_await\b|\w+(?:'\w+)*)
      | (?P<sign>::|->|&&|\|\||[=!<>+\-*/%&|^]=|<<|\.\.\.|.)""", re.X | re.S | re.M)
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Group(list):
    """What lies between a pair of brackets; `body` says that a lambda's statements do."""

    def __init__(self, sign, line):
        self.sign, self.line, self.body = sign, line, False


class Word(str):
    line = 0


def tree(code, first_line):
    stack = [Group("", first_line)]
    line = first_line
    for match in TOKEN.finditer(code):
        text = match[0]
        if match.lastgroup != "skip":
            word = Word('""' if match["raw"] or match["text"] else text)
            word.line = line
            if text in CLOSING:
                stack[-1].append(Group(text, line))
                stack.append(stack[-1][-1])
            elif text in CLOSING.values():
                if len(stack) > 1:
                    stack.pop()
            else:
                stack[-1].append(word)
        line += text.count("\n")
    return stack[0]


def is_group(item, sign):
    return isinstance(item, Group) and item.sign == sign


def mark_lambdas(items):
    """Finds lambda introducers; gives each its `captures`, and marks its body."""
    pending, previous = False, None
    for item in items:
        if isinstance(item, Group):
            named = isinstance(previous, str) and re.fullmatch(r"\w+|>", previous) and previous not in (
                "return", "co_return", "co_await", "co_yield")
            index = named or is_group(previous, "(") or is_group(previous, "[")
            if item.sign == "[" and item and is_group(item[0], "["):  # an attribute
                previous = item
                continue
            if item.sign == "[" and not index:
                pending, item.introducer = True, True
            elif item.sign == "{" and pending:
                pending, item.body = False, True
            mark_lambdas(item)
        elif item in (";", ","):
            pending = pending and item != ";"
        previous = item


def is_block(item, before):
    if not before or not isinstance(before[-1], str):
        return True
    kinds = {"struct", "class", "enum", "union", "namespace"}
    return ";" in item or before[-1] in {"else", "do", "try", "const", "noexcept", "override", "final", ":", '""'} or bool(
        kinds.intersection(word for word in before if isinstance(word, str)))


def flat(items):
    """All words of a statement but those inside a lambda's body."""
    for item in items:
        if isinstance(item, Group):
            if not item.body:
                yield from flat(item)
        else:
            yield item
