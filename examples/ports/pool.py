# A pool of connections to a line server: made when they are needed, used last in first out, thrown away when they are
# broken or too old, and closed in the end; with a limit for how long somebody waits for one.
import asyncio
import contextlib
import itertools


class PoolTimeout(Exception):
    pass


class Connection:
    numbers = itertools.count(1)

    async def open(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.number, self.uses = next(self.numbers), 0
        return self

    async def ask(self, text):
        self.writer.write(text.encode() + b"\n")
        answer = await self.reader.readline()
        if not answer:
            raise ConnectionResetError("the server has hung up")
        return answer.decode().rstrip()

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Pool:
    def __init__(self, port, most, patience, most_uses):
        self.port, self.most, self.patience, self.most_uses = port, most, patience, most_uses
        self.free, self.count, self.changed = [], 0, asyncio.Condition()

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.free) == self.count)
            print("closing", [connection.number for connection in self.free])
            await asyncio.gather(*[connection.close() for connection in self.free])

    async def take(self):
        async with self.changed:
            try:
                async with asyncio.timeout(self.patience):
                    await self.changed.wait_for(lambda: self.free or self.count < self.most)
            except TimeoutError:
                raise PoolTimeout(f"all {self.most} are in use") from None
            if self.free:
                return self.free.pop()
            self.count += 1
        try:
            return await Connection().open(self.port)
        except BaseException:
            await self.give_back(None)
            raise

    async def give_back(self, connection):
        async with self.changed:
            if connection:
                self.free.append(connection)
            else:
                self.count -= 1
            self.changed.notify()

    @contextlib.asynccontextmanager
    async def connection(self):
        connection = await self.take()
        try:
            connection.uses += 1
            yield connection
        except BaseException:  # a cancelled one, too, still owes an answer
            print(f"connection {connection.number} is broken")
            await connection.close()
            connection = None
            raise
        finally:
            if connection and connection.uses >= self.most_uses:
                await connection.close()
                connection = None
            await asyncio.shield(self.give_back(connection))


async def serve(reader, writer):
    async for line in reader:
        match line.decode().split():
            case ["sleep", seconds, *_]:
                await asyncio.sleep(float(seconds))
            case ["hang", "up"]:
                break
        writer.write(line.upper())
    writer.close()


async def query(pool, text):
    try:
        async with pool.connection() as connection:
            answer = await connection.ask(text)
            print(f"{connection.number}: {answer}")
    except (PoolTimeout, ConnectionResetError) as error:
        print(f"{text}: {type(error).__name__}: {error}")


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Pool(port, most=2, patience=0.15, most_uses=3) as pool:
            await query(pool, "one")
            await query(pool, "two")
            await asyncio.gather(query(pool, "sleep 0.06 three"), query(pool, "sleep 0.12 four"), query(pool, "five"))
            await query(pool, "hang up")
            async with pool.connection() as first, pool.connection() as second:
                await query(pool, "six")
                print(first.number, second.number)
            waiting = asyncio.create_task(query(pool, "sleep 0.1"))
            await asyncio.sleep(0.02)
            waiting.cancel()
            await asyncio.wait([waiting])
            print("cancelled:", waiting.cancelled(), "open:", pool.count, "free:", len(pool.free))


asyncio.run(main())
