# A semaphore bounds how many requests run at the same time.
import asyncio


class Server:
    def __init__(self):
        self.running = 0
        self.peak = 0

    async def request(self, number):
        self.running += 1
        self.peak = max(self.peak, self.running)
        print(f"request {number} starts, {self.running} running")
        await asyncio.sleep(0.02 * number)
        self.running -= 1
        return number * number


async def limited(semaphore, server, number):
    async with semaphore:
        return await server.request(number)


async def main():
    semaphore = asyncio.Semaphore(2)
    server = Server()
    results = await asyncio.gather(*(limited(semaphore, server, n) for n in range(1, 6)))
    print("results:", *results)
    print("never more than", server.peak)


asyncio.run(main())
