import argparse
import asyncio
import re
import ssl
import sys
import urllib.parse


async def get(context, url):
    port = url.port or (443 if context else 80)
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=context)
    target = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
    writer.write(f"GET {target} HTTP/1.0\r\nHost: {url.hostname}\r\nConnection: close\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = head.partition("\r\n")[0]
    length = re.search(r"(?im)^content-length: *(\d+)", head)
    left = int(length[1]) if length else sys.maxsize
    while left > 0:
        part = await reader.read(min(left, 65536))
        if not part:
            break
        sys.stdout.buffer.write(part)
        left -= len(part)
    writer.close()
    if " 200 " not in status:
        raise OSError(status)
    if left > 0 and length:
        raise OSError("the end of the page is missing")


parser = argparse.ArgumentParser()
parser.add_argument("--cafile")
parser.add_argument("url")
arguments = parser.parse_args()
split = urllib.parse.urlsplit(arguments.url)
if split.scheme not in ("http", "https") or not split.hostname:
    parser.error("URL")
try:
    trusted = ssl.create_default_context(cafile=arguments.cafile) if split.scheme == "https" else None
    asyncio.run(asyncio.wait_for(get(trusted, split), 60))
except asyncio.TimeoutError:
    sys.exit("it takes longer than a minute")
except (OSError, EOFError) as error:
    sys.exit(str(error))
