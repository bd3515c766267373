# Keeps programs running: each begins when the one before it is ready, those that fail are started again after a pause that
# grows, and SIGTERM stops them in the reverse order, the stubborn ones by SIGKILL.
import asyncio
import os
import signal


class Program:
    def __init__(self, name, script, tries=1):
        self.name, self.script, self.tries = name, script, tries
        self.ready = asyncio.Event()
        self.stopping = False

    def note(self, text):
        print(f"{self.name} {text}")

    async def run_once(self):
        self.process = await asyncio.create_subprocess_exec("sh", "-c", self.script, stdout=asyncio.subprocess.PIPE)
        async for line in self.process.stdout:
            text = line.decode().rstrip()
            self.note(f"says {text!r}")
            if text == "ready":
                self.ready.set()
        return await self.process.wait()

    async def run(self):
        try:
            for number in range(1, self.tries + 1):
                status = await self.run_once()
                self.note(f"was killed by signal {-status}" if status < 0 else f"ended with {status}")
                if self.stopping or status == 0:
                    return
                if number < self.tries:
                    pause = 0.005 * 2**number
                    self.note(f"is started again in {pause} s")
                    await asyncio.sleep(pause)
            self.note("is given up")
        except FileNotFoundError as error:
            self.note(f"cannot be run: {error}")

    async def stop(self, grace):
        self.stopping = True
        if self.task.done():
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(self.task), grace)
        except TimeoutError:
            self.note("does not listen")
            self.process.kill()
            await self.task


async def start(program, group):
    program.task = group.create_task(program.run(), name=program.name)
    ready = asyncio.create_task(program.ready.wait())
    await asyncio.wait([ready, program.task], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()


async def main():
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    programs = [
        Program("database", "trap 'echo bye; exit' TERM; echo ready; while :; do sleep 0.01; done"),
        Program("migration", "echo nothing to do"),
        Program("flaky", "echo trying; exit 3", tries=3),
        Program("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.01; done"),
        Program("web", "echo ready; exec sleep 60"),
    ]
    async with asyncio.TaskGroup() as group:
        for program in programs:
            await start(program, group)
        loop.call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
        await stop.wait()
        print("stopping")
        for program in reversed(programs):
            await program.stop(grace=0.2)
    loop.remove_signal_handler(signal.SIGTERM)
    print({program.name: program.process.returncode for program in programs})


asyncio.run(main())
