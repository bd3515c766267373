import asyncio
import ssl
import sys


async def talk(context, host, port, words):
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    for word in words:
        print(f"sent {word}")
        writer.write(f"{word}\n".encode())
        await writer.drain()
        line = await reader.readline()
        print(f"received {line.decode().rstrip(chr(10))}")
    writer.close()
    await writer.wait_closed()


async def main():
    await asyncio.wait_for(talk(context, arguments[0], arguments[1], arguments[2:]), 10)


arguments, context = sys.argv[1:], None
if arguments[:1] == ["--cafile"]:
    context = ssl.create_default_context(cafile=arguments[1])
    del arguments[:2]
if len(arguments) < 3:
    print("usage: echo_client [--cafile FILE] HOST PORT WORD...", file=sys.stderr)
    sys.exit(2)
sys.stdout.reconfigure(line_buffering=True)
try:
    asyncio.run(main())
except TimeoutError:
    sys.exit("no answer in ten seconds")
except (OSError, ValueError) as error:
    sys.exit(str(error))
