import asyncio
import sys


async def talk(host, port, words):
    reader, writer = await asyncio.open_connection(host, port)
    for word in words:
        print(f"sent {word}")
        writer.write(f"{word}\n".encode())
        await writer.drain()
        line = await reader.readline()
        print(f"received {line.decode().rstrip(chr(10))}")
    writer.close()
    await writer.wait_closed()


async def main():
    await asyncio.wait_for(talk(sys.argv[1], sys.argv[2], sys.argv[3:]), 10)


if len(sys.argv) < 4:
    print("usage: echo_client HOST PORT WORD...", file=sys.stderr)
    sys.exit(2)
sys.stdout.reconfigure(line_buffering=True)
try:
    asyncio.run(main())
except TimeoutError:
    sys.exit("no answer in ten seconds")
except (OSError, ValueError) as error:
    sys.exit(str(error))
