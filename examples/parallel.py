# Runs a command for each line of its input, several at once, as `xargs -P` does; what they print comes in the order of
# the lines.
#
#     ls *.png | parallel -j 4 optipng {}
import asyncio
import os
import signal
import sys

USAGE = """usage: parallel [-j JOBS] [--halt] COMMAND [ARGUMENT...]
Each line of the input takes the place of {}, or comes last. --halt ends all when one fails.
"""
GRACE = 5


class Failed(Exception):
    pass


async def run_process(command):
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        process_group=0)
    try:
        stdout, stderr = await process.communicate()
        return process.returncode, stdout, stderr
    except asyncio.CancelledError:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        raise


class Parallel:
    def __init__(self, jobs, halt, command):
        self.halt, self.command = halt, command
        self.may_run = asyncio.Semaphore(jobs)
        self.may_begin = asyncio.Semaphore(8 * jobs)  # what waits for its turn to be printed is bounded
        self.shows_progress = sys.stderr.isatty()
        self.results = {}
        self.begun = self.done = self.failed = self.printed = 0

    async def run(self):
        lines = asyncio.StreamReader(limit=1 << 20)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        was_ended = True
        try:
            async with asyncio.TaskGroup() as group:
                async for line in lines:
                    line = line.rstrip(b"\n").decode()
                    if line:
                        await self.may_begin.acquire()
                        await self.may_run.acquire()
                        group.create_task(self.one(self.begun, line))
                        self.begun += 1
            was_ended = False
        finally:
            if self.shows_progress:
                print("\r\x1b[K", end="", file=sys.stderr)
            if was_ended or self.failed:
                self.report(was_ended)
        return 123 if self.failed else 0  # as xargs

    async def one(self, number, line):
        is_in = any("{}" in word for word in self.command)
        code, out, err = await run_process(
            [word.replace("{}", line) for word in self.command] + ([] if is_in else [line]))
        self.may_run.release()
        self.done += 1
        if code != 0:
            self.failed += 1
            err += f"parallel: '{line}' ended with {code}\n".encode()
        self.results[number] = out, err
        is_the_end = code != 0 and self.halt
        self.print_what_is_due(is_the_end)
        if is_the_end:
            raise Failed

    def print_what_is_due(self, everything):
        for number in sorted(self.results) if everything else iter(lambda: self.printed, None):
            if number not in self.results:
                break
            out, err = self.results.pop(number)
            if self.shows_progress:
                print("\r\x1b[K", end="", file=sys.stderr)
            sys.stdout.buffer.write(out)
            sys.stdout.flush()
            sys.stderr.buffer.write(err)
            sys.stderr.flush()
            self.printed = number + 1
            self.may_begin.release()
        if self.shows_progress:
            print(f"\r{self.done} of {self.begun} done, {self.failed} failed", end="", file=sys.stderr, flush=True)

    def report(self, was_ended):
        text = f"parallel: {self.done} done, {self.failed} failed"
        if was_ended:
            text += f", {self.begun - self.done} ended"
        print(text, file=sys.stderr, flush=True)


def parse(words):
    jobs, halt = os.cpu_count(), False
    while words:
        if words[0] == "-j" and len(words) > 1 and words[1].lstrip("-").isdigit():
            jobs, words = int(words[1]), words[2:]
        elif words[0] == "--halt":
            halt, words = True, words[1:]
        else:
            break
    return jobs, halt, words


async def amain(jobs, halt, command):
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    return await Parallel(jobs, halt, command).run()


def main():
    jobs, halt, command = parse(sys.argv[1:])
    if not command or not 1 <= jobs <= 10_000:
        sys.stderr.write(USAGE)
        return 2
    try:
        return asyncio.run(amain(jobs, halt, command))
    except KeyboardInterrupt:
        return 130
    except asyncio.CancelledError:  # by SIGTERM
        return 143
    except ExceptionGroup as errors:
        if errors.subgroup(Failed):
            return 123
        print(f"parallel: {errors.exceptions[0]!r}", file=sys.stderr)
        return 1


sys.exit(main())
