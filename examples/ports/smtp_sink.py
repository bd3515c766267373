# A mail server that only tells what it gets (RFC 5321), as a protocol that is called with lines, and a client of streams.
import asyncio
import re


class Mailbox:
    def __init__(self):
        self.count = 0
        self.arrived = asyncio.Condition()

    async def put(self, sender, recipients, text):
        async with self.arrived:
            self.count += 1
            print(f"mail {self.count} from {sender} to {', '.join(recipients)}: {len(text)} bytes")
            self.arrived.notify_all()

    async def wait_for_mails(self, count):
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.count >= count)


class LineProtocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.kept = b""

    def data_received(self, data):
        *lines, self.kept = (self.kept + data).split(b"\r\n")
        for line in lines:
            if not self.transport.is_closing():
                self.line_received(line.decode())


class Smtp(LineProtocol):
    def __init__(self, mailbox, patience):
        self.mailbox, self.patience = mailbox, patience
        self.sender, self.recipients, self.text, self.timer, self.tasks = None, [], None, None, set()

    def connection_made(self, transport):
        super().connection_made(transport)
        self.be_patient()
        self.reply("220 sink")

    def connection_lost(self, error):
        self.timer.cancel()

    def be_patient(self):
        if self.timer:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(self.patience, self.too_late)

    def too_late(self):
        self.reply("421 too slow")
        self.transport.close()

    def reply(self, text):
        self.transport.write(text.encode() + b"\r\n")

    def line_received(self, line):
        self.be_patient()
        if self.text is not None:
            self.text_received(line)
            return
        command, _, rest = line.partition(" ")
        handler = getattr(self, "smtp_" + command.lower(), None)
        if handler is None:
            self.reply("500 what?")
        else:
            handler(rest)

    def text_received(self, line):
        if line != ".":
            self.text += line.removeprefix(".") + "\n"
            return
        task = asyncio.create_task(self.mailbox.put(self.sender, self.recipients, self.text))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self.sender, self.recipients, self.text = None, [], None
        self.reply("250 kept")

    def smtp_ehlo(self, rest):
        self.reply("250 hello " + rest)

    def smtp_mail(self, rest):
        if found := re.fullmatch(r"FROM:<(.*)>", rest):
            self.sender = found[1]
            self.reply("250 from")
        else:
            self.reply("501 from whom?")

    def smtp_rcpt(self, rest):
        if self.sender is None:
            self.reply("503 MAIL first")
        elif found := re.fullmatch(r"TO:<(.*)>", rest):
            self.recipients.append(found[1])
            self.reply("250 to")
        else:
            self.reply("501 to whom?")

    def smtp_data(self, rest):
        if self.recipients:
            self.text = ""
            self.reply("354 go on")
        else:
            self.reply("503 RCPT first")

    def smtp_quit(self, rest):
        self.reply("221 bye")
        self.transport.close()


async def say(host, port, *lines):
    reader, writer = await asyncio.open_connection(host, port)
    answers = [(await reader.readline())[:3]]
    for line in lines:
        writer.write(line.removeprefix(" ").encode() + b"\r\n")
        if line == "." or not line.startswith(" "):
            answers.append((await reader.readline())[:3])
    async for line in reader:
        answers.append(line[:3])
    print(b" ".join(answers).decode())
    writer.close()


async def main():
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Smtp(mailbox, 0.1), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        await say(host, port, "EHLO me", "RCPT TO:<b@x>", "MAIL FROM:<a@x>", "RCPT TO:<b@x>", "RCPT TO:<c@x>", "RCPT d",
                  "DATA", " Subject: hello", " ", " ..", ".", "QUIT")
        await say(host, port, "HELP", "MAIL FROM:<a@x>", "DATA", "RCPT TO:<b@x>", "DATA", " 1", ".", "MAIL FROM:<a@x>",
                  "RCPT TO:<c@x>", "DATA", " 2", ".")
        await asyncio.wait_for(mailbox.wait_for_mails(3), 1)


asyncio.run(main())
