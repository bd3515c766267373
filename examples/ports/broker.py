# needs 3.14
# A broker within a program: subscribers are generators that take what is published to topics of a pattern, who is slow
# loses the oldest messages, and a question is a message with a topic for the answer.
import asyncio
import contextlib
import fnmatch
import itertools


class Broker:
    def __init__(self):
        self.subscribers = []
        self.dead_letters = []
        self.inboxes = (f"inbox/{number}" for number in itertools.count(1))

    async def subscribe(self, pattern, most=3):
        queue = asyncio.Queue(most)
        self.subscribers.append((pattern, queue))
        try:
            while True:
                yield await queue.get()
        except asyncio.QueueShutDown:
            pass
        finally:
            self.subscribers.remove((pattern, queue))
            print("nobody listens any more to", pattern)

    def publish(self, topic, text, reply_to=None):
        queues = [queue for pattern, queue in self.subscribers if fnmatch.fnmatchcase(topic, pattern)]
        for queue in queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((topic, text, reply_to))
        if not queues:
            self.dead_letters.append((topic, text))

    async def ask(self, topic, text, patience):
        inbox = next(self.inboxes)
        async with contextlib.aclosing(self.subscribe(inbox)) as replies:
            reply = asyncio.ensure_future(anext(replies))
            await asyncio.sleep(0)  # it begins to listen
            self.publish(topic, text, inbox)
            return (await asyncio.wait_for(reply, patience))[1]

    def close(self):
        for _, queue in self.subscribers:
            queue.shutdown()


async def listen(name, broker, pattern, pause=0):
    async with contextlib.aclosing(broker.subscribe(pattern)) as messages:
        async for topic, text, _ in messages:
            print(f"{name}: {topic}: {text}")
            if text == "go home":
                break
            await asyncio.sleep(pause)
    print(f"{name} is done")


async def answer(broker):
    async for _, text, reply_to in broker.subscribe("questions/*"):
        if reply_to:
            broker.publish(reply_to, text[::-1])


async def main():
    broker = Broker()
    async with asyncio.TaskGroup() as group:
        group.create_task(listen("quick", broker, "news/*"))
        group.create_task(listen("slow", broker, "news/*", 0.05))
        group.create_task(listen("sport", broker, "news/sport"))
        group.create_task(answer(broker))
        await asyncio.sleep(0)
        for number in range(1, 6):
            broker.publish("news/weather", f"{number} degrees")
            await asyncio.sleep(0)
        broker.publish("news/sport", "go home")
        await asyncio.sleep(0.01)
        print("answer:", await broker.ask("questions/1", "stressed", 1))
        try:
            await broker.ask("nobody/knows", "why?", 0.01)
        except TimeoutError:
            print("no answer")
        broker.publish("inbox/7", "late")
        await asyncio.sleep(0)
        broker.close()
    print("dead letters:", broker.dead_letters, "subscribers:", len(broker.subscribers))


asyncio.run(main())
