# as_completed gives the results in the order in which they come, the quickest first.
import asyncio


async def measure(station, delay):
    await asyncio.sleep(delay)
    return f"{station} has reported"


async def main():
    reports = [asyncio.create_task(measure("mountain", 0.06)),
               asyncio.create_task(measure("harbour", 0.02)),
               asyncio.create_task(measure("airport", 0.04))]
    for next_report in asyncio.as_completed(reports):
        report = await next_report
        print(report)


asyncio.run(main())
