"""What stands in the slots of a program: futures of any kind."""
import asyncio

from text import describe, text


class Item:
    """A future; `kind` is "int" for one whose result is a number, `children` are the items of a gather()."""

    def __init__(self, future, kind, children=()):
        self.future, self.kind, self.children = future, kind, list(children)

    def task(self):
        return self.future if isinstance(self.future, asyncio.Task) else None


def outcome(future):
    if not future.done():
        return "pending"
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    return "! " + describe(error) if error is not None else text(future.result())


class Waits:
    """Which task awaits which item, so that no circle is made.

    differs: a circle of tasks that await each other, cancelled
    """

    def __init__(self):
        self.on = {}
        self.spoilt = set()

    def would_circle(self, item):
        me = asyncio.current_task()
        todo, seen = [item], set()
        while todo:
            one = todo.pop()
            if one.future is me:
                return True
            if one.future.done() or id(one) in seen:
                continue
            seen.add(id(one))
            todo += one.children
            if one.future in self.on:
                todo.append(self.on[one.future])
        return False

    def is_spoilt(self, item):
        """Whether it is a task that has awaited itself: differs: a task that has awaited itself"""
        return item.future in self.spoilt

    async def awaiting(self, item, awaitable):
        me = asyncio.current_task()
        before = self.on.get(me)
        self.on[me] = item
        try:
            return await awaitable
        finally:
            if before is None:
                self.on.pop(me, None)
            else:
                self.on[me] = before
