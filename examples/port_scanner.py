import asyncio
import sys


async def answers(port):
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1)
        is_itself = writer.get_extra_info("sockname") == writer.get_extra_info("peername")
        writer.close()
        return not is_itself
    except (ConnectionRefusedError, asyncio.TimeoutError):
        return False


async def try_ports(ports, opened, failures):
    for port in ports:
        try:
            if await answers(port):
                opened.add(port)
        except OSError as error:
            failures[port] = error


async def show_progress(ports, all):
    while True:
        await asyncio.sleep(0.2)
        print(f"\r{all - ports.__length_hint__()} of {all} ", end="", file=sys.stderr, flush=True)


async def scan(first, last):
    ports = iter(range(first, last + 1))
    opened, failures = set(), {}
    progress = asyncio.create_task(show_progress(ports, last - first + 1)) if sys.stderr.isatty() else None
    async with asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(try_ports(ports, opened, failures))
    if progress:
        progress.cancel()
        print("\r\033[K", end="", file=sys.stderr)
    for port in sorted(opened):
        print(f"port {port} is open")
    print(f"{len(opened)} of {last - first + 1} are open")
    for port, error in sorted(failures.items()):
        print(f"port {port}: {error}", file=sys.stderr)
    return bool(failures)


first = int(sys.argv[1]) if len(sys.argv) > 1 else 1
last = int(sys.argv[2]) if len(sys.argv) > 2 else first if len(sys.argv) > 1 else 65535
if not 1 <= first <= last <= 65535:
    print("usage: port_scanner [FIRST [LAST]]", file=sys.stderr)
    sys.exit(2)
sys.exit(asyncio.run(scan(first, last)))
