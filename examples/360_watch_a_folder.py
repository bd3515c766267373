# Tells what happens to the files of a folder.
import asyncio
import ctypes
import os
import pathlib
import struct
import tempfile

CREATE, CLOSE_WRITE, MOVED_FROM, MOVED_TO, DELETE = 0x100, 0x8, 0x40, 0x80, 0x200
libc = ctypes.CDLL(None)


async def readable(fd):
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.add_reader(fd, lambda: future.done() or future.set_result(None))
    try:
        await future
    finally:
        loop.remove_reader(fd)


def take_events(inotify):
    data = os.read(inotify, 4096)
    while data:
        _, mask, _, size = struct.unpack_from("iIII", data)
        yield mask, data[16:16 + size].rstrip(b"\0").decode()
        data = data[16 + size:]


def what_happened(mask):
    if mask & CREATE:
        return "is new"
    if mask & CLOSE_WRITE:
        return "was written"
    if mask & MOVED_FROM:
        return "is called"
    if mask & MOVED_TO:
        return "now"
    return "is gone"


async def watch(inotify):
    while True:
        await readable(inotify)
        for mask, name in take_events(inotify):
            print(name, what_happened(mask))
            if name == "end":
                return


async def change(folder):
    (folder / "letter").write_text("Dear Sir or Madam,\n")
    await asyncio.sleep(0.01)
    (folder / "letter").rename(folder / "letter.txt")
    await asyncio.sleep(0.01)
    (folder / "letter.txt").unlink()
    (folder / "end").mkdir()


async def watch_and_change(folder):
    inotify = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    libc.inotify_add_watch(inotify, os.fsencode(folder), CREATE | CLOSE_WRITE | MOVED_FROM | MOVED_TO | DELETE)
    await asyncio.gather(watch(inotify), change(folder))
    os.close(inotify)


with tempfile.TemporaryDirectory() as name:
    asyncio.run(watch_and_change(pathlib.Path(name)))
