"""What every Python program of the suite shares; see bench.h. With BENCH_UVLOOP set the loops are uvloop's."""
import asyncio
import os
import resource
import sys
import time

if os.environ.get("BENCH_UVLOOP"):
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


LARGE = 4 << 30  # bytes of a large process


def cpu():
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


class Figures:
    begin = None
    line = None


def start_clock():
    """The measured part begins here, not where the form does."""
    Figures.line = None
    Figures.begin = (time.monotonic(), cpu(), resident_bytes())


def stop_clock():
    """It ends here, not where the form does."""
    wall, used, size = (now - then for now, then in zip((time.monotonic(), cpu(), resident_bytes()), Figures.begin))
    Figures.line = f"wall={wall:.9f} cpu={used:.9f} bytes={size}"


def finish(operations, check):
    """Prints the figures and ends the program, whatever is still under way."""
    if Figures.line is None:
        stop_clock()
    print(f"operations={operations} {Figures.line} check={check}", flush=True)
    os._exit(0)


def main(**forms):
    """A form does n operations and returns a number that shows that it did them; it may be a coroutine function."""
    if len(sys.argv) != 3 or sys.argv[1] not in forms:
        sys.exit(f"usage: {sys.argv[0]} FORM N\n  " + "\n  ".join(forms))
    form, n = forms[sys.argv[1]], int(sys.argv[2])
    start_clock()
    check = form(n)
    if asyncio.iscoroutine(check):
        check = asyncio.run(check)
    finish(n, check)


class Random:
    """The same numbers in every language: xorshift32."""

    def __init__(self):
        self.state = 12345

    def below(self, end):
        self.state ^= self.state << 13 & 0xFFFFFFFF
        self.state ^= self.state >> 17
        self.state ^= self.state << 5 & 0xFFFFFFFF
        return self.state % end
