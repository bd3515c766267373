"""Files for the tests of programs that read them."""
import os
import random


def random_text(chance, size):
    """Valid UTF-8: mostly what is near a space of some kind, then all planes."""
    limits = (0x80, 0x100, 0x2070, 0x3100, 0x10000, 0x110000)
    codes = (chance.randrange(chance.choice(limits)) for _ in range(size))
    return "".join(chance.choice(" ab") + chr(code) for code in codes if not 0xD800 <= code < 0xE000).encode()


def random_soup(chance, size):
    """Anything: characters whole and cut, overlong, of no plane, halves of surrogate pairs, ISO 2022, GB 18030."""
    pieces = (b"a", b" ", b"\n", b"\0", b"\x85", b"\xa0", b"\xc2", b"\xc2\xa0", b"\xe2\x80\x83", b"\xe2\x80", b"\xe2\x81\xa0",
              b"\xe2\x80\xa8", b"\xe3\x80\x80", b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
              b"\xf8\x88\x80\x80\x80", b"\xc0\x80", b"\xff", b"\x1b$B", b"\x1b(B", b"\x81\x40", b"\x81\x30\x81\x30", b"\x84\x31")
    return b"".join(chance.choices(pieces, k=size))


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)
