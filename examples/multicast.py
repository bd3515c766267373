import asyncio
import ipaddress
import signal
import socket
import sys


class Member(asyncio.DatagramProtocol):
    def datagram_received(self, data, addr):
        text = "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data)
        print(f"{addr[0]}:{addr[1]} says {text}")

    def error_received(self, exc):
        print(f"error: {exc}")


def membership(interface, group):
    try:
        both = ipaddress.IPv4Address(group), ipaddress.IPv4Address(interface)
    except ValueError:
        both = None
    if not both or not both[0].is_multicast:
        raise ValueError("an IPv4 address and a group, 224.0.0.0 to 239.255.255.255, were expected")
    return both[0].packed + both[1].packed + bytes(4)  # an ip_mreqn


async def take_part(interface, group, port, words):
    option = membership(interface, group)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Member, local_addr=(group, port), reuse_port=True)
    address = transport.get_extra_info("sockname")
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, option)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, option)
    sock.setsockopt(socket.IPPROTO_IP, 49, 0)  # IP_MULTICAST_ALL
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    for word in words:
        transport.sendto(word.encode(), address)
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    print(f"serving on {address!r}")
    await stop.wait()
    transport.close()
    print("closed")


if len(sys.argv) < 4:
    print("usage: multicast INTERFACE GROUP PORT [WORD...]", file=sys.stderr)
    sys.exit(2)
sys.stdout.reconfigure(line_buffering=True)
try:
    asyncio.run(take_part(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
except (OSError, ValueError) as error:
    sys.exit(str(error))
