// A broker within a program: subscribers are generators that take what is published to topics of a pattern, who is slow
// loses the oldest messages, and a question is a message with a topic for the answer.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>
#include <fnmatch.h>

#include <cstdio>
#include <list>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

struct Message {
    std::string topic, text, reply_to;
};

class Broker {
public:
    AsyncGenerator<Message> subscribe(std::string pattern, int most = 3) {
        struct Subscription {
            Subscription(Broker& broker, const std::string& pattern, int most)
                : all(broker.subscribers), here(all.emplace(all.end(), pattern, most)) {}
            ~Subscription() {
                std::printf("nobody listens any more to %s\n", here->pattern.c_str());
                all.erase(here);
            }
            std::list<Subscriber>& all;
            std::list<Subscriber>::iterator here;
        } subscription(*this, pattern, most);
        try {
            while (true) {
                Message message = co_await subscription.here->queue.get();
                co_yield message;
            }
        } catch (const QueueShutDown&) {
        }
    }

    void publish(const std::string& topic, const std::string& text, const std::string& reply_to = "") {
        bool somebody = false;
        for (Subscriber& subscriber : subscribers) {
            if (::fnmatch(subscriber.pattern.c_str(), topic.c_str(), 0) != 0) continue;
            somebody = true;
            if (subscriber.queue.full()) subscriber.queue.get_nowait();
            subscriber.queue.put_nowait({topic, text, reply_to});
        }
        if (!somebody) dead_letters.emplace_back(topic, text);
    }

    Coro<std::string> ask(std::string topic, std::string text, Seconds patience) {
        std::string inbox = "inbox/" + std::to_string(++last_inbox_);
        co_return co_await with(aclosing(subscribe(inbox)), [&](AsyncGenerator<Message>& replies) -> Coro<std::string> {
            auto reply = ensure_future(replies.next());
            co_await sleep(0);  // it begins to listen
            publish(topic, text, inbox);
            auto message = co_await wait_for(reply, patience);
            co_return message->text;
        });
    }

    void close() {
        for (Subscriber& subscriber : subscribers) subscriber.queue.shutdown();
    }

    struct Subscriber {
        Subscriber(std::string the_pattern, int most) : pattern(the_pattern), queue(most) {}
        std::string pattern;
        Queue<Message> queue;
    };
    std::list<Subscriber> subscribers;
    std::vector<std::pair<std::string, std::string>> dead_letters;

private:
    int last_inbox_ = 0;
};

Coro<> listen(std::string name, Broker& broker, std::string pattern, Seconds pause = 0s) {
    co_await with(aclosing(broker.subscribe(pattern)), [&](AsyncGenerator<Message>& messages) -> Coro<> {
        while (auto message = co_await messages.next()) {
            std::printf("%s: %s: %s\n", name.c_str(), message->topic.c_str(), message->text.c_str());
            if (message->text == "go home") break;
            co_await sleep(pause);
        }
    });
    std::printf("%s is done\n", name.c_str());
}

Coro<> answer(Broker& broker) {
    auto questions = broker.subscribe("questions/*");
    while (auto question = co_await questions.next()) {
        if (question->reply_to.empty()) continue;
        broker.publish(question->reply_to, std::string(question->text.rbegin(), question->text.rend()));
    }
}

Coro<> amain() {
    Broker broker;
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        group.create_task(listen("quick", broker, "news/*"));
        group.create_task(listen("slow", broker, "news/*", 0.05s));
        group.create_task(listen("sport", broker, "news/sport"));
        group.create_task(answer(broker));
        co_await sleep(0);
        for (int number = 1; number < 6; ++number) {
            broker.publish("news/weather", std::to_string(number) + " degrees");
            co_await sleep(0);
        }
        broker.publish("news/sport", "go home");
        co_await sleep(0.01);
        std::string said = co_await broker.ask("questions/1", "stressed", 1s);
        std::printf("answer: %s\n", said.c_str());
        try {
            co_await broker.ask("nobody/knows", "why?", 0.01s);
        } catch (const TimeoutError&) {
            std::puts("no answer");
        }
        broker.publish("inbox/7", "late");
        co_await sleep(0);
        broker.close();
    });
    std::printf("dead letters: %s subscribers: %zu\n", repr(broker.dead_letters).c_str(), broker.subscribers.size());
}

int main() { return run_main(amain()); }
