// What Python gives as a bound method, `task.cancel`: the method, and the object by a pointer, a std::ref or as a
// handle.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/async_exit_stack.h>
#include <asyncio/tasks/run_coroutine_threadsafe.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/to_thread.h>

#include <gtest/gtest.h>

#include <unistd.h>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

class Journal {
public:
    void note(const std::string& text) { text_ += text + ' '; }
    void two(int a, int b) { note(std::to_string(a) + '+' + std::to_string(b)); }
    void done(const AnyFuture& future) { note(future.cancelled() ? "cancelled" : "done"); }
    void done_task(Task<int> task) { note(std::to_string(task.result())); }
    void ended(ConcurrentFuture<int> future) { note(std::to_string(future.result())); }
    void fails(const AnyFuture&) { throw std::runtime_error("x"); }
    void failed(EventLoop&, const ExceptionContext& context) { note(context.message); }
    void left(const std::exception_ptr& error) { note(error ? "left by an error" : "left"); }
    bool forgives(std::exception_ptr) {
        note("forgives");
        return true;
    }
    Coro<> leaves(std::exception_ptr) {
        co_await sleep(1s);
        note("leaves");
    }
    Coro<int> work(std::string text) {
        co_await sleep(1s);
        note(text);
        co_return 7;
    }
    int count(int from) {
        note("counted");
        return from + 1;
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// The message of the CancelledError that ends the task.
Coro<std::string> message_of(Task<> task) {
    try {
        co_await task;
    } catch (const CancelledError& error) {
        co_return std::string(error.what());
    }
    co_return "none";
}

Coro<> sleep_long() { co_await sleep(3600s); }

TEST(BoundMethods, ATaskIsCancelledByEachKindOfCallback) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Task<> soon = create_task(sleep_long());
        Task<> later = create_task(sleep_long());
        Task<> at = create_task(sleep_long());
        Task<> safely = create_task(sleep_long());
        Task<> without = create_task(sleep_long());
        loop.call_soon(&Task<>::cancel, soon, "soon");
        loop.call_later(1s, &Task<>::cancel, later, std::string("later"));
        loop.call_at(loop.time() + 2s, &AnyTask::cancel, AnyTask(at), "at", {.context = copy_context()});
        loop.call_soon_threadsafe(&Future<>::cancel, safely, "safely");
        loop.call_soon(&Task<>::cancel, without);
        std::string said;
        for (const Task<>& task : {soon, later, at, safely, without}) {
            std::string message = co_await message_of(task);
            said += message + '.';
        }
        EXPECT_EQ(said, "soon.later.at.safely..");
    });
}

TEST(BoundMethods, AGroupAndAFutureAreCancelledWithoutAMessage) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Future<int> future = loop.create_future<int>();
        loop.call_soon(&Future<int>::cancel, future);
        co_await sleep(0);
        co_await sleep(0);
        EXPECT_TRUE(future.cancelled());
        auto body = [&](TaskGroup& group) -> Coro<> {
            loop.call_later(1s, &TaskGroup::cancel, &group);
            co_await sleep_long();
        };
        TimePoint begin = loop.time();
        co_await with(TaskGroup(), body);
        EXPECT_EQ(loop.time() - begin, 1s);
    });
}

TEST(BoundMethods, TheObjectIsAPointerAReferenceOrKept) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Journal journal;
        auto shared = std::make_shared<Journal>();
        loop.call_soon(&Journal::note, &journal, "pointer");
        loop.call_soon(&Journal::note, std::ref(journal), "reference");
        loop.call_soon(&Journal::two, &journal, 1, 2, {.context = copy_context()});
        loop.call_soon(&Journal::note, shared, "shared");
        loop.call_soon(&Journal::note, Journal(), "temporary");
        co_await sleep(0);
        EXPECT_EQ(journal.text(), "pointer reference 1+2 ");
        EXPECT_EQ(shared->text(), "shared ");
        EXPECT_EQ(shared.use_count(), 1);
    });
}

TEST(BoundMethods, OfDoneCallbacksAndTheExceptionHandler) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Journal journal;
        Future<int> future = loop.create_future<int>();
        future.add_done_callback(&Journal::done, &journal);
        AnyFuture(future).add_done_callback(&Journal::done, std::ref(journal), {.context = copy_context()});
        CallbackId removed = future.add_done_callback(&Journal::done, &journal);
        EXPECT_EQ(future.remove_done_callback(removed), 1U);
        future.set_result(1);
        Task<int> task = create_task(journal.work("worked"));
        task.add_done_callback(&Journal::done_task, &journal);
        AnyTask(task).add_done_callback(&Journal::done, &journal);
        co_await task;
        co_await sleep(0);
        EXPECT_EQ(journal.text(), "done done worked 7 done ");

        Journal errors;
        loop.set_exception_handler(&Journal::failed, &errors);
        loop.call_soon([] { throw std::runtime_error("x"); });
        co_await sleep(0);
        EXPECT_TRUE(errors.text().starts_with("Exception in callback")) << errors.text();
    });
}

TEST(BoundMethods, ADoneCallbackThatFailsIsToldByItsMethod) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Journal errors;
        loop.set_exception_handler(&Journal::failed, &errors);
        Future<int> future = loop.create_future<int>();
        future.add_done_callback(&Journal::fails, &errors);
        future.set_result(1);
        co_await sleep(0);
        EXPECT_NE(errors.text().find("Journal::fails("), std::string::npos) << errors.text();
        EXPECT_EQ(errors.text().find("BoundMethod"), std::string::npos) << errors.text();
    });
}

struct Printer {
    std::string text;
    void print(const char* format, ...) {
        char line[32];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        text += line;
    }
};

TEST(BoundMethods, MayTakeAnyArgumentsAsPrintfDoes) {
    Printer printer;
    run_test([&]() -> Coro<> {
        get_running_loop().call_soon(&Printer::print, &printer, "%d %s|", 3, "x");
        co_await asyncio::sleep(0);
        co_await to_thread(&Printer::print, &printer, "no more|");
    });
    EXPECT_EQ(printer.text, "3 x|no more|");
}

ContextVar<int> at_the_call("at_the_call", 0);

struct Looking {
    int seen = -1;
    void look(const char*, ...) { seen = at_the_call.get(); }
};

TEST(BoundMethods, ThatTakeAnyArgumentsDoNotTakeTheOptions) {
    Looking looking;
    run_test([&]() -> Coro<> {
        Context context = copy_context();
        context.run([] { at_the_call.set(7); });
        const CallbackOptions options{.context = context};
        get_running_loop().call_soon(&Looking::look, &looking, "x", 3, options);
        co_await asyncio::sleep(0);
    });
    EXPECT_EQ(looking.seen, 7);
}

TEST(BoundMethods, OfTasksWithOptions) {
    run_test([]() -> Coro<> {
        Journal journal;
        Task<int> named = create_task(&Journal::work, &journal, "free", {.name = "named"});
        Task<int> of_loop = get_running_loop().create_task(&Journal::work, &journal, "loop's", {.name = "of loop"});
        auto body = [&](TaskGroup& group) { group.create_task(&Journal::work, &journal, "group's", {.name = "x"}); };
        co_await with(TaskGroup(), body);
        EXPECT_EQ(named.get_name() + ", " + of_loop.get_name(), "named, of loop");
        EXPECT_EQ(journal.text(), "free loop's group's ");
    });
}

TEST(BoundMethods, OfExitStacks) {
    run_test([]() -> Coro<> {
        Journal journal;
        AsyncExitStack stack;
        stack.push(&Journal::left, &journal);
        stack.push_async_exit(&Journal::leaves, std::ref(journal));
        stack.callback(&Journal::two, &journal, 3, 4);
        stack.push_async_callback(&Journal::work, &journal, "works");
        stack.push(&Journal::forgives, &journal);
        bool dropped = co_await stack.aexit(std::make_exception_ptr(ValueError("x")));
        EXPECT_TRUE(dropped);
        EXPECT_EQ(journal.text(), "forgives works 3+4 leaves left ");
    });
}

TEST(BoundMethods, OfSignalsAndDescriptors) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Journal journal;
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        loop.add_writer(ends[1], &Journal::note, &journal, "writable");
        loop.add_signal_handler(SIGUSR1, &Journal::note, &journal, "signal");
        ::kill(::getpid(), SIGUSR1);
        for (int i = 0; i < 1000 && journal.text().find("signal") == std::string::npos; ++i) co_await sleep(0);
        loop.remove_signal_handler(SIGUSR1);
        loop.remove_writer(ends[1]);
        EXPECT_NE(journal.text().find("writable"), std::string::npos);
        EXPECT_NE(journal.text().find("signal"), std::string::npos);
        ::close(ends[0]);
        ::close(ends[1]);
    });
}

TEST(BoundMethods, OfThreads) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Journal journal;
        int counted = co_await to_thread(&Journal::count, &journal, 1);
        int more = co_await loop.run_in_executor(nullptr, &Journal::count, std::ref(journal), 1);
        EXPECT_EQ(counted + more, 4);
        ConcurrentFuture<int> future = run_coroutine_threadsafe(&Journal::work, loop, &journal, "worked");
        future.add_done_callback(&Journal::ended, &journal);
        co_await future;
        ConcurrentFuture<> long_one = run_coroutine_threadsafe(sleep_long(), loop);
        co_await to_thread(&ConcurrentFuture<>::cancel, long_one);
        EXPECT_TRUE(long_one.cancelled());
        EXPECT_EQ(journal.text(), "counted counted worked 7 ");
    });
}

}  // namespace
