import asyncio, socket
out = []
class Ticker:
    def __init__(self, loop): self.loop, self.n = loop, 0; loop.call_soon(self.tick)
    def tick(self): self.n += 1; self.handle = self.loop.call_soon(self.tick)
    def stop(self): self.handle.cancel()
def make(base, name, ticker, hooks):
    def note(what): out.append(f"{ticker.n} {what}")
    class P(base):
        def connection_made(self, transport): self.transport = transport; note("made"); hooks.get("made", lambda p: None)(self)
        def data_received(self, data): note("data " + data.decode()); hooks.get("data", lambda p: None)(self)
        def eof_received(self): note("eof"); return hooks.get("eof", lambda p: None)(self)
        def get_buffer(self, hint):
            note("get_buffer"); self.buf = hooks["get_buffer"](self) if "get_buffer" in hooks else bytearray(4); return self.buf
        def buffer_updated(self, n): note("updated " + bytes(self.buf[:n]).decode()); hooks.get("updated", lambda p: None)(self)
        def pause_writing(self): note("pause"); hooks.get("pause", lambda p: None)(self)
        def resume_writing(self): note("resume"); hooks.get("resume", lambda p: None)(self)
        def connection_lost(self, exc): note("lost " + repr(exc)); hooks.get("lost", lambda p: None)(self)
    P.__name__ = P.__qualname__ = name
    return P
def boom(e):
    def f(p): raise e
    return f
async def scenario(title, base, hooks, steps):
    out.append("--- " + title)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: out.append(f"{t.n} told {c['message'].split('(')[0].split(' make')[0].split(' _')[0]} {c['exception']!r}"))
    a, b = socket.socketpair(); b.setblocking(False)
    t = Ticker(loop)
    transport, p = await loop.create_connection(make(base, "P", t, hooks), sock=a)
    out.append(f"{t.n} connected")
    await steps(transport, p, b, t)
    for i in range(6): await asyncio.sleep(0)
    transport.abort()
    for i in range(3): await asyncio.sleep(0)
    t.stop(); b.close()
async def passes(n):
    for i in range(n): await asyncio.sleep(0)
P, B = asyncio.Protocol, asyncio.BufferedProtocol
def sends(data):
    async def f(tr, p, b, t): b.send(data); await passes(3)
    return f
def ends():
    async def f(tr, p, b, t): b.shutdown(socket.SHUT_WR); await passes(3)
    return f
def full():
    async def f(tr, p, b, t):
        tr.write(b"x" * 1000000); out.append(f"{t.n} written")
        await passes(2)
        while tr.get_write_buffer_size():
            while True:
                try: b.recv(1 << 20)
                except BlockingIOError: break
            await passes(1)
        out.append(f"sent")
    return f
async def nothing(tr, p, b, t): pass
async def both(tr, p, b, t): b.send(b"abc"); b.shutdown(socket.SHUT_WR); await passes(4)
async def twice(tr, p, b, t):
    for d in (b"abc", b"def"):
        try: b.send(d)
        except OSError: pass
        await passes(3)
async def paused(tr, p, b, t):
    tr.pause_reading(); b.send(b"abc"); await passes(3); out.append(f"{t.n} resumes"); tr.resume_reading(); await passes(3)
async def main():
    V = ValueError("no")
    await scenario("data and an end", P, {}, both)
    await scenario("stays open", P, {"eof": lambda p: True}, both)
    await scenario("made throws", P, {"made": boom(V)}, sends(b"abc"))
    await scenario("made aborts", P, {"made": lambda p: p.transport.abort()}, nothing)
    await scenario("made closes after a write", P, {"made": lambda p: (p.transport.write(b"x"), p.transport.close())}, nothing)
    await scenario("data throws", P, {"data": boom(V)}, twice)
    await scenario("data throws OSError", P, {"data": boom(OSError("os"))}, twice)
    await scenario("data closes", P, {"data": lambda p: p.transport.close()}, twice)
    await scenario("data aborts", P, {"data": lambda p: p.transport.abort()}, twice)
    await scenario("eof throws", P, {"eof": boom(V)}, ends())
    await scenario("lost throws", P, {"lost": boom(V)}, ends())
    await scenario("buffer", B, {}, sends(b"abcdef"))
    await scenario("empty buffer", B, {"get_buffer": lambda p: bytearray()}, sends(b"abc"))
    await scenario("get_buffer throws", B, {"get_buffer": boom(V)}, sends(b"abc"))
    await scenario("updated throws", B, {"updated": boom(V)}, sends(b"abcdef"))
    await scenario("buffered end", B, {}, ends())
    await scenario("pause and resume", P, {}, full())
    await scenario("pause and resume throw", P, {"pause": boom(V), "resume": boom(V)}, full())
    await scenario("resume closes", P, {"resume": lambda p: p.transport.close()}, full())
    await scenario("resume aborts", P, {"resume": lambda p: p.transport.abort()}, full())
    await scenario("pause aborts", P, {"pause": lambda p: p.transport.abort()}, full())
    await scenario("reading paused", P, {}, paused)
asyncio.run(main())
print("\n".join(out))
