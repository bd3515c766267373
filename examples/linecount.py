# Counts the lines, words and bytes of all files under a directory, as wc does, on worker threads.
# Python has no stop_token: a threading.Event, set when the await ends, takes its place.
import asyncio
import codecs
import ctypes
import locale
import os
import stat
import sys
import threading
from collections import deque


class Kinds(dict):
    """What the words of wc up to coreutils 9.4 make of a character: a letter, a space or nothing.

    It is wc's rule in C, C.UTF-8 and any other UTF-8 or one-byte locale. Two things differ from C++: a
    decoder of Python's may skip other bytes than the C library's in broken text of other encodings, and
    Python takes LANG=C for C.UTF-8, unless LC_ALL=C or PYTHONCOERCECLOCALE=0 is set.
    """

    libc = ctypes.PyDLL(None)
    no_break = () if "POSIXLY_CORRECT" in os.environ else (0xA0, 0x2007, 0x202F, 0x2060)

    def __missing__(self, c):
        if c < 128 and c in b"\t\n\v\f\r ":
            kind = " "
        elif not self.libc.iswprint(c):
            kind = ""
        else:
            kind = " " if self.libc.iswspace(c) or c in self.no_break else "x"
        self[c] = kind
        return kind


KINDS = Kinds()


class Job:
    def __init__(self, root, file_timeout):
        self.root, self.file_timeout = os.fsencode(root), file_timeout
        self.fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        self.todo, self.errors = deque(), []
        self.found = self.counted = self.lines = self.words = self.bytes = 0


def message(path, reason):
    return f"linecount: {os.fsdecode(path)}: {reason}"


def open_below(root, path, flags):
    """Step by step: whatever is moved or swapped with a link meanwhile, nothing outside is read."""
    *folders, last = path.split(b"/")
    at = root
    try:
        for name in folders:
            below = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            if at != root:
                os.close(at)
            at = below
        return os.open(last, flags | os.O_NOFOLLOW, dir_fd=at)
    finally:
        if at != root:
            os.close(at)


def list_files(stop, job):
    folders = [b""]
    while folders and not stop.is_set():
        folder = folders.pop()
        try:
            fd = open_below(job.fd, folder or b".", os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            job.errors.append(message(os.path.join(job.root, folder) if folder else job.root, error.strerror))
            continue
        for name in os.listdir(fd):
            path = os.path.join(folder, os.fsencode(name))
            try:
                mode = os.lstat(name, dir_fd=fd).st_mode
            except OSError:
                job.todo.append(path)  # count_file will say what is wrong with it
                continue
            if stat.S_ISDIR(mode):
                folders.append(path)
            elif stat.S_ISREG(mode):
                job.todo.append(path)
        os.close(fd)
    job.found = len(job.todo)


def open_file(root, path):
    """Without O_NONBLOCK a FIFO, which may have taken a file's place since that was listed, would never be open."""
    fd = open_below(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(0, "Not a regular file", path)


def count_file(stop, root, path):
    lines = words = size = 0
    in_word = False
    decoder = codecs.getincrementaldecoder(locale.nl_langinfo(locale.CODESET))("ignore")
    with open(open_file(root, path), "rb", buffering=0) as file:
        while not stop.is_set() and (block := file.read(65536)):
            size += len(block)
            lines += block.count(b"\n")
            text = decoder.decode(block).translate(KINDS)
            if text:
                words += len(text.split()) - (in_word and text[0] != " ")
                in_word = text[-1] != " "
    return lines, words, size


def follow_locale():
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        locale.setlocale(locale.LC_ALL, "C")


async def to_thread(function, *args):
    stop = threading.Event()
    try:
        return await asyncio.to_thread(function, stop, *args)
    finally:
        stop.set()


async def count_files(job):
    while job.todo:
        path = job.todo.popleft()
        try:
            lines, words, size = await asyncio.wait_for(to_thread(count_file, job.fd, path), job.file_timeout)
            job.lines, job.words, job.bytes = job.lines + lines, job.words + words, job.bytes + size
            job.counted += 1
        except TimeoutError:
            job.errors.append(message(os.path.join(job.root, path), "Timed out"))
        except OSError as error:
            job.errors.append(message(os.path.join(job.root, path), error.strerror))


async def show_progress(job):
    while True:
        begun = job.found - len(job.todo)
        print(f"\r[{'#' * (40 * (begun + 1) // (job.found + 1)):40}] {begun}/{job.found}", end="", file=sys.stderr, flush=True)
        await asyncio.sleep(0.1)


async def count_tree(job):
    await to_thread(list_files, job)
    progress = asyncio.create_task(show_progress(job)) if sys.stderr.isatty() else None
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(count_files(job))
    if progress:
        progress.cancel()


def main(root, file_timeout=10.0):
    follow_locale()
    job, interrupted = Job(root, float(file_timeout)), False
    try:
        asyncio.run(count_tree(job))
    except KeyboardInterrupt:
        interrupted = True
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)  # wipes the progress bar
    print(*job.errors, sep="\n", end="\n" if job.errors else "", file=sys.stderr)
    print(f"{job.lines:7} {job.words:7} {job.bytes:7} total ({job.counted} files{', interrupted' * interrupted})")
    return 130 if interrupted else 1 if job.errors else 0


if __name__ == "__main__":
    sys.stderr.reconfigure(errors="surrogateescape")
    try:
        sys.exit(main(*sys.argv[1:]))
    except OSError as error:
        print(message(error.filename, error.strerror), file=sys.stderr)
    except (TypeError, ValueError):
        print("usage: linecount DIR [SECONDS_PER_FILE]", file=sys.stderr)
    sys.exit(2)
