// A mail server that only tells what it gets (RFC 5321), as a protocol that is called with lines, and a client of
// streams.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

using Strings = std::vector<std::string>;

std::string join(const Strings& words, const char* between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

class Mailbox {
public:
    Coro<> put(std::string sender, Strings recipients, std::string text) {
        auto guard = co_await arrived_.guard();
        ++count_;
        std::printf("mail %d from %s to %s: %zu bytes\n", count_, sender.c_str(), join(recipients, ", ").c_str(),
                    text.size());
        arrived_.notify_all();
    }
    Coro<> wait_for_mails(int count) {
        auto guard = co_await arrived_.guard();
        co_await arrived_.wait_for([&] { return count_ >= count; });
    }

private:
    int count_ = 0;
    Condition arrived_;
};

class LineProtocol : public Protocol {
public:
    void connection_made(Transport transport) override { transport_ = transport; }
    void data_received(std::string_view data) override {
        kept_ += data;
        for (std::size_t end; (end = kept_.find("\r\n")) != std::string::npos && !transport_.is_closing();) {
            std::string line = kept_.substr(0, end);
            kept_.erase(0, end + 2);
            line_received(line);
        }
    }
    virtual void line_received(const std::string& line) = 0;

protected:
    Transport transport_;

private:
    std::string kept_;
};

/// What stands in `FROM:<…>`.
std::optional<std::string> address_in(const std::string& rest, const std::string& word) {
    if (!rest.starts_with(word + ":<") || !rest.ends_with(">")) return {};
    return rest.substr(word.size() + 2, rest.size() - word.size() - 3);
}

class Smtp : public LineProtocol {
public:
    Smtp(Mailbox& mailbox, Seconds patience) : mailbox_(mailbox), patience_(patience) {}

    void connection_made(Transport transport) override {
        LineProtocol::connection_made(transport);
        be_patient();
        reply("220 sink");
    }
    void connection_lost(std::exception_ptr) override { timer_.cancel(); }

    void line_received(const std::string& line) override {
        static const std::map<std::string, void (Smtp::*)(const std::string&)> handlers = {{"EHLO", &Smtp::smtp_ehlo},
                                                                                           {"MAIL", &Smtp::smtp_mail},
                                                                                           {"RCPT", &Smtp::smtp_rcpt},
                                                                                           {"DATA", &Smtp::smtp_data},
                                                                                           {"QUIT", &Smtp::smtp_quit}};
        be_patient();
        if (text_) return text_received(line);
        std::size_t space = std::min(line.find(' '), line.size());
        auto found = handlers.find(line.substr(0, space));
        if (found == handlers.end()) return reply("500 what?");
        (this->*found->second)(line.substr(std::min(space + 1, line.size())));
    }

private:
    void be_patient() {
        if (timer_) timer_.cancel();
        timer_ = get_running_loop().call_later(patience_, &Smtp::too_late, this);
    }
    void too_late() {
        reply("421 too slow");
        transport_.close();
    }
    void reply(const std::string& text) { transport_.write(text + "\r\n"); }

    void text_received(const std::string& line) {
        if (line != ".") {
            *text_ += line.substr(line.starts_with(".") ? 1 : 0) + "\n";
            return;
        }
        Task<> task = create_task(mailbox_.put(*sender_, recipients_, *text_));
        tasks_.insert(task);
        task.add_done_callback([self = ref_of(this)](const Task<>& done) { self->tasks_.erase(done); });
        sender_.reset();
        recipients_.clear();
        text_.reset();
        reply("250 kept");
    }
    void smtp_ehlo(const std::string& rest) { reply("250 hello " + rest); }
    void smtp_mail(const std::string& rest) {
        sender_ = address_in(rest, "FROM");
        reply(sender_ ? "250 from" : "501 from whom?");
    }
    void smtp_rcpt(const std::string& rest) {
        auto recipient = address_in(rest, "TO");
        if (!sender_) return reply("503 MAIL first");
        if (!recipient) return reply("501 to whom?");
        recipients_.push_back(*recipient);
        reply("250 to");
    }
    void smtp_data(const std::string&) {
        if (recipients_.empty()) return reply("503 RCPT first");
        text_ = "";
        reply("354 go on");
    }
    void smtp_quit(const std::string&) {
        reply("221 bye");
        transport_.close();
    }

    Mailbox& mailbox_;
    Seconds patience_;
    std::optional<std::string> sender_, text_;
    Strings recipients_;
    TimerHandle timer_;
    std::unordered_set<Task<>> tasks_;
};

Coro<> say(std::string host, int port, Strings lines) {
    auto [reader, writer] = co_await open_connection(host, port);
    std::string answer = co_await reader.readline();
    Strings answers = {answer.substr(0, 3)};
    for (const std::string& line : lines) {
        writer.write(line.substr(line.starts_with(" ") ? 1 : 0) + "\r\n");
        if (!line.starts_with(" ")) {
            answer = co_await reader.readline();
            answers.push_back(answer.substr(0, 3));
        }
    }
    while (auto line = co_await reader.next()) answers.push_back(line->substr(0, 3));
    std::puts(join(answers, " ").c_str());
    writer.close();
}

Coro<> send_mails(Mailbox& mailbox, Server& server) {
    SocketAddress address = server.sockets()[0].getsockname();
    const Strings one = {"EHLO me",
                         "RCPT TO:<b@x>",
                         "MAIL FROM:<a@x>",
                         "RCPT TO:<b@x>",
                         "RCPT TO:<c@x>",
                         "RCPT d",
                         "DATA",
                         " Subject: hello",
                         " ",
                         " ..",
                         ".",
                         "QUIT"};
    const Strings two = {"HELP", "MAIL FROM:<a@x>", "DATA",          "RCPT TO:<b@x>", "DATA", " 1",
                         ".",    "MAIL FROM:<a@x>", "RCPT TO:<c@x>", "DATA",          " 2",   "."};
    co_await say(address.host(), address.port(), one);
    co_await say(address.host(), address.port(), two);
    co_await wait_for(mailbox.wait_for_mails(3), 1);
}

Coro<> amain() {
    Mailbox mailbox;
    auto factory = [&mailbox] { return Smtp(mailbox, 0.1s); };
    Server server = co_await create_server(factory, "127.0.0.1", 0);
    co_await with(server, [&](Server& serving) { return send_mails(mailbox, serving); });
}

int main() { return run_main(amain()); }
