# Asks another program for a line.
import asyncio


async def get_date():
    date = await asyncio.create_subprocess_exec(
        "date", "-u", "-d", "2024-02-29", "+%Y-%m-%d is a %A", stdout=asyncio.subprocess.PIPE)
    line = await date.stdout.readline()
    code = await date.wait()
    if code != 0 or not line.endswith(b"\n"):
        raise RuntimeError("date has no date")
    return line.decode().rstrip("\n")


async def main():
    print(await get_date())


asyncio.run(main())
