"""What a SubprocessProtocol is told in which pass of the loop, by CPython: the text that subprocess_trace_test.cpp
expects. What happens in one pass is sorted, since several descriptors may be ready at once."""
import asyncio, os, select

out = []
class Ticker:
    def __init__(self, loop): self.loop, self.n = loop, 0; loop.call_soon(self.tick)
    def tick(self): self.n += 1; self.handle = self.loop.call_soon(self.tick)
    def stop(self): self.handle.cancel()
def note(t, what): out.append((t.n, what))
def flush():
    for n, what in sorted(out): print(n, what)
    out.clear()
class P(asyncio.SubprocessProtocol):
    def __init__(self, t): self.t = t
    def connection_made(self, transport): self.transport = transport; note(self.t, "made")
    def pipe_data_received(self, fd, data): note(self.t, f"data {fd} {data.decode().strip()}")
    def pipe_connection_lost(self, fd, exc): note(self.t, f"lost {fd} {exc!r}")
    def process_exited(self): note(self.t, f"exited {self.transport.get_returncode()}")
    def connection_lost(self, exc): note(self.t, f"over {exc!r}")
async def passes(n):
    for i in range(n): await asyncio.sleep(0)
def wait_for_end(): os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
def wait_for_data(transport, fd):
    select.select([transport.get_pipe_transport(fd).get_extra_info("pipe")], [], [])
async def scenario(title, command, steps, ends_early=False, **options):
    print("---", title, flush=True)
    loop = asyncio.get_running_loop()
    t = Ticker(loop)
    if ends_early: loop.call_soon(wait_for_end)
    transport, p = await loop.subprocess_shell(lambda: P(t), command, **options)
    note(t, "connected")
    await steps(transport, t)
    await passes(8)
    flush()
    t.stop()
async def nothing(transport, t): pass
async def speak(transport, t):
    transport.get_pipe_transport(0).write(b"x\n")
    wait_for_data(transport, 1)
    note(t, "there")
    await passes(4)
    transport.get_pipe_transport(0).write(b"y\n")
    wait_for_end()
    note(t, "ended")
async def close(transport, t):
    transport.close()
    wait_for_end()
    note(t, "ended")
async def kill(transport, t):
    transport.kill()
    wait_for_end()
    note(t, "ended")
async def end(transport, t):
    transport.get_pipe_transport(0).write(b"y\n")
    wait_for_end()
    note(t, "ended")
async def end_input(transport, t):
    transport.get_pipe_transport(0).close()
    await passes(4)
    wait_for_end()
    note(t, "ended")
async def streams(title, command, steps, **options):
    print("---", title, flush=True)
    t = Ticker(asyncio.get_running_loop())
    p = await asyncio.create_subprocess_shell(command, **options)
    note(t, "created")
    await steps(p, t)
    await passes(4)
    flush()
    t.stop()
async def wait(p, t):
    async def waiter():
        note(t, f"waited {await p.wait()}")
    task = asyncio.create_task(waiter())
    await passes(2)
    p.kill()
    wait_for_end()
    note(t, "ended")
    await task
    note(t, f"again {await p.wait()}")
async def read(p, t):
    p.stdin.write(b"x\n")
    wait_for_data(p._transport, 1)
    note(t, "there")
    note(t, f"read {(await p.stdout.read(10)).decode().strip()}")
    p.stdin.close()
    await passes(3)
    wait_for_end()
    note(t, "ended")
    await p.stdin.wait_closed()
    note(t, "stdin closed")
    note(t, f"read {await p.stdout.read(10)}")
    await p.wait()
    note(t, "waited")
async def communicate(p, t):
    async def later():
        await passes(6)
        wait_for_end()
        note(t, "ended")
    task = asyncio.create_task(later())
    stdout, stderr = await p.communicate(b"x\n")
    note(t, f"{stdout.decode().strip()} {p.returncode}")
async def main():
    none = dict(stdin=None, stdout=None, stderr=None)
    await scenario("all pipes", "read x; echo $x; read y; exit 3", speak)
    await scenario("no pipes", "exec sleep 3600", kill, **none)
    await scenario("no pipes, ends early", "sleep 0.05; exit 3", nothing, ends_early=True, **none)
    await scenario("all pipes, ends early", "sleep 0.05; echo x; echo y >&2", nothing, ends_early=True)
    await scenario("closed", "read y", close)
    await scenario("killed", "read y", kill)
    await scenario("only stdin", "read y", end, stdout=None, stderr=None)
    await scenario("the end of its input", "cat; sleep 0.05", end_input)
    await streams("wait", "read y", wait, stdin=asyncio.subprocess.PIPE)
    await streams("read", "cat; sleep 0.05", read, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    await streams("communicate", "cat; sleep 0.05", communicate, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
asyncio.run(main())
