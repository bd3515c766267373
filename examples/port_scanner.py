import asyncio
import sys


async def answers(port):
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1)
        writer.close()
        return True
    except OSError:
        return False


async def show_progress(tried, all):
    while True:
        await asyncio.sleep(0.2)
        print(f"\r{len(tried)} of {all} ", end="", file=sys.stderr, flush=True)


async def scan(first, last):
    at_once = asyncio.Semaphore(200)
    opened, tried = set(), []

    async def try_port(port):
        async with at_once:
            if await answers(port):
                opened.add(port)
            tried.append(port)

    progress = asyncio.create_task(show_progress(tried, last - first + 1))
    async with asyncio.TaskGroup() as group:
        for port in range(first, last + 1):
            group.create_task(try_port(port))
    progress.cancel()
    print("\r", end="", file=sys.stderr)
    for port in sorted(opened):
        print(f"port {port} is open")
    print(f"{len(opened)} of {len(tried)} are open")


first = int(sys.argv[1]) if len(sys.argv) > 1 else 1
last = int(sys.argv[2]) if len(sys.argv) > 2 else first if len(sys.argv) > 1 else 65535
if not 1 <= first <= last <= 65535:
    print("usage: port_scanner [FIRST [LAST]]", file=sys.stderr)
    sys.exit(2)
asyncio.run(scan(first, last))
