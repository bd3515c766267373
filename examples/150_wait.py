# wait looks at many tasks and tells the done from the pending; it cancels nothing itself.
import asyncio


async def race(delay):
    await asyncio.sleep(delay)
    return "across the line"


async def main():
    runners = [asyncio.create_task(race(delay), name=name)
               for name, delay in (("tortoise", 3600), ("hare", 0.03), ("snail", 7200))]
    done, pending = await asyncio.wait(runners, return_when=asyncio.FIRST_COMPLETED)
    for runner in done:
        print(runner.get_name(), "is", runner.result())
    print(len(pending), "are still running")

    done, pending = await asyncio.wait(pending, timeout=0.03)
    print("a moment later:", len(done), "done and", len(pending), "pending")
    for runner in pending:
        runner.cancel()
    await asyncio.wait(runners)
    print("cancelled:", ", ".join(r.get_name() for r in runners if r.cancelled()))


asyncio.run(main())
