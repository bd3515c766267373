"""Where a program keeps what it has made."""


class Empty(Exception):
    """A statement is about a slot in which there is nothing."""


class Slots:
    def __init__(self, size):
        self.all = [None] * size

    def __getitem__(self, slot):
        if self.all[slot] is None:
            raise Empty
        return self.all[slot]

    def __setitem__(self, slot, value):
        self.all[slot] = value

    def has(self, slot):
        return self.all[slot] is not None

    def clear(self, slot):
        self.all[slot] = None
