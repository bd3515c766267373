# needs 3.14
# A shell whose lines come from a descriptor that the loop watches, typed by a thread that waits for the shell each time.
# Commands are methods, jobs run in the background, and what computes goes to a thread.
import asyncio
import inspect
import os


class Shell:
    def __init__(self, fd):
        self.fd, self.kept, self.lines, self.jobs = fd, b"", asyncio.Queue(), {}
        asyncio.get_running_loop().add_reader(fd, self.read)

    def read(self):
        data = os.read(self.fd, 4096)
        *lines, self.kept = (self.kept + data).split(b"\n")
        for line in lines:
            self.lines.put_nowait(line.decode())
        if not data:
            asyncio.get_running_loop().remove_reader(self.fd)
            self.lines.shutdown()

    async def idle(self):
        await self.lines.join()

    async def run(self):
        try:
            while True:
                line = await self.lines.get()
                print("$", line)
                try:
                    await self.execute(line.split())
                except Exception as error:
                    print(f"{type(error).__name__}: {error}")
                self.lines.task_done()
        except asyncio.QueueShutDown:
            print("the end; still running:", " ".join(self.jobs))
            for task in self.jobs.values():
                task.cancel()
            await asyncio.gather(*self.jobs.values(), return_exceptions=True)

    async def execute(self, words):
        if not words:
            return
        command = getattr(self, "do_" + words[0], None)
        if command is None:
            commands = [name.removeprefix("do_") for name in dir(self) if name.startswith("do_")]
            raise LookupError(f"there is no {words[0]}; there are {' '.join(sorted(commands))}")
        result = command(*words[1:])
        if inspect.isawaitable(result):
            result = await result
        if result is not None:
            print(result)

    def do_echo(self, *words):
        return " ".join(words)

    def do_start(self, name, seconds):
        def done(task):
            del self.jobs[name]
            print(f"{name} is {'cancelled' if task.cancelled() else 'done: ' + task.result()}")

        if name in self.jobs:
            raise ValueError(f"{name} runs already")
        self.jobs[name] = asyncio.create_task(asyncio.sleep(float(seconds), f"{seconds} s"), name=name)
        self.jobs[name].add_done_callback(done)

    def do_jobs(self):
        return " ".join(self.jobs) or "none"

    async def do_wait(self, name):
        await asyncio.wait([self.jobs[name]])

    async def do_cancel(self, name):
        task = self.jobs[name]
        task.cancel()
        await asyncio.wait([task])

    async def do_sum(self, *numbers):
        return await asyncio.to_thread(lambda: sum(map(float, numbers)))


def type_lines(fd, shell, loop):
    for line in ("echo hello  world", "start tea 60", "start rice 0.1", "start tea 1", "wait rice", "jobs", "cancel tea",
                 "jobs", "sum 1 2 3.5", "", "frobnicate", "start soup 60"):
        asyncio.run_coroutine_threadsafe(shell.idle(), loop).result()
        os.write(fd, line.encode() + b"\n")
    os.close(fd)


async def main():
    read_end, write_end = os.pipe()
    shell = Shell(read_end)
    await asyncio.gather(shell.run(), asyncio.to_thread(type_lines, write_end, shell, asyncio.get_running_loop()))
    os.close(read_end)


asyncio.run(main())
