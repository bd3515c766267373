# A scheduler of jobs: what is due runs in a task of its own, plain functions on a thread, never twice at once, and what
# fails is told and tried again at the next time. It sleeps until the next is due, or until it is told of another job.
import asyncio
import contextlib
import contextvars
import dataclasses
import heapq
import inspect
import itertools
from typing import Any, Callable

current_job = contextvars.ContextVar("current_job", default="nobody")


def note(text):
    print(f"{current_job.get()}: {text}\n", end="")  # as one: threads print, too


@dataclasses.dataclass(order=True)
class Job:
    when: float
    number: int
    name: str = dataclasses.field(compare=False)
    function: Callable[[], Any] = dataclasses.field(compare=False)
    interval: float = dataclasses.field(compare=False)
    times: int = dataclasses.field(compare=False)
    task: asyncio.Task | None = dataclasses.field(compare=False, default=None)


class Scheduler:
    def __init__(self):
        self.heap, self.numbers, self.running = [], itertools.count(), set()
        self.changed = asyncio.Event()

    def every(self, interval, times):
        def register(function):
            when = asyncio.get_running_loop().time() + interval
            heapq.heappush(self.heap, Job(when, next(self.numbers), function.__name__, function, interval, times))
            self.changed.set()
            return function
        return register

    async def run_one(self, job):
        current_job.set(job.name)
        try:
            if inspect.iscoroutinefunction(job.function):
                await job.function()
            else:
                await asyncio.to_thread(job.function)
        except Exception as error:
            note(f"failed: {error!r}")

    def start(self, job):
        if job.task and not job.task.done():
            print(f"{job.name} is still at it")
            return
        job.task = asyncio.create_task(self.run_one(job), name=job.name)
        self.running.add(job.task)
        job.task.add_done_callback(self.running.discard)

    async def run(self):
        while self.heap:
            job = self.heap[0]
            self.changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(job.when):
                    await self.changed.wait()
            if asyncio.get_running_loop().time() < job.when or job is not self.heap[0]:
                continue
            heapq.heappop(self.heap)
            self.start(job)
            job.times -= 1
            if job.times:
                job.when += job.interval
                heapq.heappush(self.heap, job)

    async def stop(self, grace):
        if not self.running:
            return
        _, late = await asyncio.wait(self.running, timeout=grace)
        for task in late:
            print("stopping", task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def main():
    scheduler, release, ticks = Scheduler(), asyncio.Event(), itertools.count(1)

    @scheduler.every(0.005, times=1)
    def report():
        note("on a thread")

    @scheduler.every(0.04, times=4)
    async def tick():
        number = next(ticks)
        note(number)
        if number == 4:
            release.set()

    @scheduler.every(0.06, times=2)
    async def backup():
        note("begins")
        await release.wait()
        note("ends")

    @scheduler.every(0.1, times=1)
    async def later():
        @scheduler.every(0.1, times=1)
        async def clean():
            raise ValueError("no broom")
        note("adds a job")

    @scheduler.every(0.14, times=1)
    async def archive():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            note("cancelled")
            raise

    await scheduler.run()
    await scheduler.stop(0.02)
    note("done")


asyncio.run(main())
