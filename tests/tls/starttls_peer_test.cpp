#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/stream_support.h"
#include "tls/engine_support.h"
#include "tls/peer_programs.h"

// TLS that begins in the middle, with those who know it: mail by aiosmtpd, Python's smtplib and openssl, a database's
// client and server.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::client_context;
using support::port_in;
using support::port_of;
using support::Programs;
using support::run_net;

class StartTlsPeerExecutorTest : public support::NetTest {};  // the end of a program is waited for on a thread

bool has(const Programs& programs, const std::string& command) { return programs.run(command).empty(); }

// Mail.

/// The answer to one command, all its lines.
Coro<std::string> answer(StreamReader reader) {
    std::string all;
    for (;;) {
        std::string line = co_await reader.readline();
        all += line;
        if (line.size() < 4 || line[3] != '-') co_return all;
    }
}

Coro<std::string> ask(Streams& streams, std::string command) {
    streams.writer.write(command + "\r\n");
    std::string said = co_await answer(streams.reader);
    co_return said;
}

const std::string mail_server = R"(
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP

class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(envelope.mail_from, envelope.rcpt_tos, envelope.content.decode().strip(), bool(session.ssl))
        return "250 taken"

async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("cert.pem", "key.pem")
    def protocol():
        return SMTP(Handler(), tls_context=context, require_starttls=True, loop=asyncio.get_running_loop())
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    with open("port", "w") as file:
        file.write(f"{server.sockets[0].getsockname()[1]}\n")
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
)";

TEST_F(StartTlsPeerExecutorTest, SendsMailToAiosmtpd) {
    Programs programs;
    if (!has(programs, "/usr/bin/python3 -c 'import aiosmtpd'")) GTEST_SKIP() << "no python3-aiosmtpd here";
    programs.write("server.py", mail_server);
    programs.write("go", "");
    run_net([&]() -> Coro<> {
        std::string command = "(while [ -e go ]; do sleep 0.05; done) | /usr/bin/python3 server.py";
        auto serving = create_task(to_thread([&] { return programs.run(command); }));
        int port = co_await port_in(programs);
        Streams streams = co_await open_connection("127.0.0.1", port);
        std::string said = co_await answer(streams.reader);
        EXPECT_EQ(said.substr(0, 4), "220 ");
        said = co_await ask(streams, "EHLO me");
        EXPECT_NE(said.find("STARTTLS"), said.npos) << said;
        said = co_await ask(streams, "MAIL FROM:<a@example>");
        EXPECT_EQ(said.substr(0, 4), "530 ");
        said = co_await ask(streams, "STARTTLS");
        EXPECT_EQ(said.substr(0, 4), "220 ");
        SSLContext context = client_context();
        StartTlsOptions options = {.server_hostname = "localhost", .buffered = BufferedBytes::refuse};
        co_await streams.writer.start_tls(context, options);
        for (const char* each : {"EHLO me", "MAIL FROM:<a@example>", "RCPT TO:<b@example>", "DATA", "secret\r\n."}) {
            said = co_await ask(streams, each);
            EXPECT_TRUE(said[0] == '2' || said.substr(0, 3) == "354") << each << ": " << said;
        }
        said = co_await ask(streams, "QUIT");
        EXPECT_EQ(said.substr(0, 4), "221 ");
        streams.writer.close();
        co_await streams.writer.wait_closed();
        programs.run("rm go");
        said = co_await serving;
        EXPECT_EQ(said, "a@example ['b@example'] secret True\n");
    });
}

/// Takes a message by TLS alone; `mail` is all that was said in secret.
Coro<> take_mail(std::string& mail, StreamReader reader, StreamWriter writer) {
    bool is_secret = false, is_data = false;
    writer.write("220 localhost ESMTP\r\n");
    while (auto line = co_await reader.next()) {
        if (is_secret) mail += *line;
        std::string word = line->substr(0, 4);
        for (char& each : word) each = static_cast<char>(each & ~0x20);  // upper case
        if (is_data) {
            is_data = *line != ".\r\n";
            if (!is_data) writer.write("250 taken\r\n");
        } else if (word == "EHLO") {
            writer.write(is_secret ? "250 localhost\r\n" : "250-localhost\r\n250 STARTTLS\r\n");
        } else if (word == "STAR") {
            writer.write("220 go ahead\r\n");
            StartTlsOptions options = {.buffered = BufferedBytes::refuse};
            co_await writer.start_tls(support::for_servers(), options);
            is_secret = true;
        } else if (word == "DATA") {
            is_data = true;
            writer.write("354 go on\r\n");
        } else if (word == "QUIT") {
            writer.write("221 bye\r\n");
            break;
        } else {
            writer.write(is_secret ? "250 well\r\n" : "530 STARTTLS first\r\n");
        }
    }
    writer.close();
}

const std::string mail_client = R"(
import smtplib, ssl, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="me", timeout=60) as smtp:
    smtp._host = "localhost"
    smtp.starttls(context=ssl.create_default_context(cafile="ca.pem"))
    smtp.sendmail("a@example", ["b@example"], "secret")
)";

TEST_F(StartTlsPeerExecutorTest, TakesMailFromSmtplibAndOpenssl) {
    Programs programs;
    programs.write("client.py", mail_client);
    run_net([&]() -> Coro<> {
        std::string mail;
        auto take = [&](StreamReader reader, StreamWriter writer) { return take_mail(mail, reader, writer); };
        Server server = co_await start_server(take, "127.0.0.1", 0);
        std::string port = std::to_string(port_of(server));
        std::string command = "python3 client.py " + port;
        std::string said = co_await to_thread([&] { return programs.run(command); });
        EXPECT_EQ(said, "");
        EXPECT_EQ(mail.substr(0, 8), "ehlo me\r") << mail;
        EXPECT_NE(mail.find("secret\r\n.\r\n"), mail.npos) << mail;
        mail.clear();
        command = "printf 'NOOP\\r\\nQUIT\\r\\n' | openssl s_client -starttls smtp -connect 127.0.0.1:" + port +
                  " -CAfile ca.pem -verify_hostname localhost -verify_return_error -quiet -ign_eof";
        said = co_await to_thread([&] { return programs.run(command); });
        EXPECT_NE(said.find("221 bye"), said.npos) << said;
        EXPECT_EQ(mail, "NOOP\r\nQUIT\r\n");
        server.close();
        co_await server.wait_closed();
    });
}

// A database. Numbers are of four bytes, the first one is the highest.

std::string number(std::size_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
    return bytes;
}

/// What PostgreSQL's messages are like, but for the first ones.
std::string message(char kind, const std::string& body) { return kind + number(body.size() + 4) + body; }

const std::string ssl_request = number(8) + number(80'877'103);
const std::string startup =
    number(35) + number(196'608) + std::string("user\0me\0database\0postgres\0", 26) + std::string(1, '\0');

/// Goes on by TLS, as such a client does, and says who it is.
Coro<Streams> connect_to_database(int port) {
    Streams streams = co_await open_connection("127.0.0.1", port);
    streams.writer.write(ssl_request);
    std::string said = co_await streams.reader.readexactly(1);
    EXPECT_EQ(said, "S");
    SSLContext context = client_context();
    StartTlsOptions options = {.server_hostname = "localhost", .buffered = BufferedBytes::refuse};
    co_await streams.writer.start_tls(context, options);
    streams.writer.write(startup);
    co_return streams;
}

const std::string database_server = R"(
import asyncio, ssl, struct, sys

async def serve(reader, writer):
    assert await reader.readexactly(8) == struct.pack("!ii", 8, 80877103)
    writer.write(b"S")
    await writer.drain()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("cert.pem", "key.pem")
    await writer.start_tls(context)
    size, = struct.unpack("!i", await reader.readexactly(4))
    assert b"user\0me\0" in await reader.readexactly(size - 4)
    writer.write(b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I")
    assert await reader.readexactly(5) == b"X\0\0\0\x04"
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with open("port", "w") as file:
        file.write(f"{server.sockets[0].getsockname()[1]}\n")
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
)";

TEST_F(StartTlsPeerExecutorTest, AsksADatabaseInPython) {
    Programs programs;
    if (!has(programs, "python3 -c 'import asyncio; asyncio.StreamWriter.start_tls'")) {
        GTEST_SKIP() << "this Python is older than 3.11";
    }
    programs.write("server.py", database_server);
    programs.write("go", "");
    run_net([&]() -> Coro<> {
        std::string command = "(while [ -e go ]; do sleep 0.05; done) | python3 server.py";
        auto serving = create_task(to_thread([&] { return programs.run(command); }));
        int port = co_await port_in(programs);
        Streams streams = co_await connect_to_database(port);
        std::string said = co_await streams.reader.readexactly(15);
        EXPECT_EQ(said, message('R', number(0)) + message('Z', "I"));
        streams.writer.write(message('X', ""));
        said = co_await streams.reader.read();
        EXPECT_EQ(said, "");
        streams.writer.close();
        co_await streams.writer.wait_closed();
        programs.run("rm go");
        said = co_await serving;
        EXPECT_EQ(said, "");
    });
}

const std::string postgresql = R"sh(set -e
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
[ "$(id -u)" -ne 0 ] || { chown -R nobody .; as="runuser -u nobody --"; }
chmod 600 key.pem
$as $bin/initdb -D data -U me -A trust --no-locale --no-sync >/dev/null
echo 'hostssl all me 127.0.0.1/32 trust' >data/pg_hba.conf
exec timeout -s INT 120 $as $bin/postgres -D data -p "$1" -h 127.0.0.1 -k '' -F -c ssl=on \
    -c ssl_cert_file="$PWD/cert.pem" -c ssl_key_file="$PWD/key.pem" -c log_min_messages=fatal >log
)sh";

struct Message {
    char kind = 0;
    std::string body;
};
Coro<Message> next_message(StreamReader reader) {
    std::string head = co_await reader.readexactly(5);
    std::size_t size = 0;
    for (std::size_t i = 1; i < 5; ++i) size = size << 8 | static_cast<unsigned char>(head[i]);
    std::string body = co_await reader.readexactly(size - 4);
    co_return Message{head[0], std::move(body)};
}

/// All until it is ready for a question: the kinds of the messages, and the bodies of rows.
Coro<std::string> answers(StreamReader reader) {
    std::string all;
    for (;;) {
        Message next = co_await next_message(reader);
        if (next.kind != 'S' && next.kind != 'K') all += next.kind;  // what it is like, and how to cancel
        if (next.kind == 'D' || next.kind == 'E') all += next.body;
        if (next.kind == 'Z' || next.kind == 'E') co_return all;
    }
}

/// Until it says in its file that it is ready: it listens before.
Coro<> postgresql_begins(const Programs& programs, const Task<std::string>& serving) {
    TimePoint end = get_running_loop().time() + 60s;
    while (programs.read("data/postmaster.pid").find("ready") == std::string::npos) {
        if (serving.done()) throw RuntimeError("it has ended: " + serving.result());
        if (get_running_loop().time() > end) throw RuntimeError("it does not begin");
        co_await sleep(0.02);
    }
}

TEST_F(StartTlsPeerExecutorTest, AsksPostgresql) {
    Programs programs;
    if (!has(programs, "ls /usr/lib/postgresql/*/bin/initdb >/dev/null")) GTEST_SKIP() << "no postgresql here";
    programs.write("serve", postgresql);
    run_net([&]() -> Coro<> {
        int port = support::free_port();
        auto serving = create_task(to_thread([&] { return programs.run("sh serve " + std::to_string(port)); }));
        co_await postgresql_begins(programs, serving);
        for (std::size_t size : {std::size_t{5}, std::size_t{100'000}}) {
            std::string word(size, 'x');
            Streams streams = co_await connect_to_database(port);
            std::string said = co_await answers(streams.reader);
            EXPECT_EQ(said, "RZ");
            std::string question = "select ssl || ' " + word + "' from pg_stat_ssl where pid = pg_backend_pid()";
            streams.writer.write(message('Q', question + '\0'));
            said = co_await answers(streams.reader);
            EXPECT_EQ(said, "TD" + std::string("\0\1", 2) + number(word.size() + 5) + "true " + word + "CZ");
            streams.writer.write(message('X', ""));
            said = co_await streams.reader.read();
            EXPECT_EQ(said, "");
            streams.writer.close();
            co_await streams.writer.wait_closed();
        }
        programs.run("kill -INT $(head -n 1 data/postmaster.pid)");
        std::string said = co_await serving;
        EXPECT_EQ(said, "");
    });
}

/// Answers each question with the one word "secret", if it is asked by TLS.
Coro<> answer_questions(StreamReader reader, StreamWriter writer) {
    std::string first = co_await reader.readexactly(8);
    EXPECT_EQ(first, ssl_request);
    writer.write("S");
    co_await writer.drain();
    StartTlsOptions options = {.buffered = BufferedBytes::refuse};
    co_await writer.start_tls(support::for_servers(), options);
    std::string size = co_await reader.readexactly(4);
    co_await reader.readexactly(static_cast<unsigned char>(size[3]) - 4U + 256U * static_cast<unsigned char>(size[2]));
    writer.write(message('R', number(0)) + message('Z', "I"));
    for (;;) {
        std::string head = co_await reader.readexactly(5);
        co_await reader.readexactly(static_cast<unsigned char>(head[4]) - 4U);
        if (head[0] == 'X') break;
        std::string column = std::string("word\0", 5) + number(0) + std::string(2, '\0') + number(25) +
                             std::string("\xFF\xFF", 2) + number(0xFFFFFFFF) + std::string(2, '\0');
        writer.write(message('T', std::string("\0\1", 2) + column));
        writer.write(message('D', std::string("\0\1", 2) + number(6) + "secret"));
        writer.write(message('C', std::string("SELECT 1\0", 9)) + message('Z', "I"));
    }
    writer.close();
}

TEST_F(StartTlsPeerExecutorTest, AnswersPsql) {
    Programs programs;
    if (!has(programs, "psql --version >/dev/null")) GTEST_SKIP() << "no postgresql-client here";
    run_net([&]() -> Coro<> {
        Server server = co_await start_server(answer_questions, "127.0.0.1", 0);
        std::string command =
            "psql -X -A -t -c 'select word' 'host=localhost hostaddr=127.0.0.1 user=me dbname=db "
            "sslmode=verify-full sslrootcert=ca.pem gssencmode=disable port=" +
            std::to_string(port_of(server)) + "'";
        std::string said = co_await to_thread([&] { return programs.run(command); });
        EXPECT_EQ(said, "secret\n");
        server.close();
        co_await server.wait_closed();
    });
}

}  // namespace
}  // namespace asyncio
