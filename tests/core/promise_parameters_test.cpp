// The compiler looks up a promise's constructor and a frame's operator new with the coroutine's own parameters.
#include "support/run_test.h"

#include <asyncio/core/async_generator.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <new>
#include <source_location>
#include <string>

namespace {

using namespace asyncio;
using asyncio::sleep;  // not the one of <unistd.h>
using support::run_test;

Coro<> traced(std::source_location = std::source_location::current()) { co_await sleep(100); }
AsyncGenerator<int> traced_generator(std::source_location = std::source_location::current()) { co_yield 1; }

/// Converts to what the constructor takes.
struct Where {
    operator std::source_location() const { return std::source_location::current(); }
    operator detail::FunctionLocation() const { return {std::source_location::current()}; }
};
Coro<> traced_by_conversion(Where) { co_await sleep(100); }

Coro<std::size_t> aligned(std::align_val_t alignment) {
    co_await sleep(0);
    co_return static_cast<std::size_t>(alignment);
}
AsyncGenerator<std::size_t> aligned_generator(std::align_val_t alignment) {
    co_yield static_cast<std::size_t>(alignment);
}
Coro<std::size_t> sized(std::size_t size) { co_return size; }

struct Member {
    Coro<> traced_member(std::source_location = std::source_location::current()) { co_await sleep(100); }
    Coro<std::size_t> aligned(std::align_val_t alignment) { co_return static_cast<std::size_t>(alignment); }
};

Coro<std::string> name_in_stack(Coro<> coro) {
    auto task = create_task(std::move(coro));
    co_await sleep(0);
    co_return task.get_stack().at(0).function;
}

TEST(PromiseParameters, ASourceLocationIsNotTakenForTheCoroutinesOwn) {
    run_test([]() -> Coro<> {
        std::string name = co_await name_in_stack(traced());
        EXPECT_NE(name.find("traced"), std::string::npos) << name;
        name = co_await name_in_stack(traced_by_conversion(Where()));
        EXPECT_NE(name.find("traced_by_conversion"), std::string::npos) << name;
        Member member;
        name = co_await name_in_stack(member.traced_member());
        EXPECT_NE(name.find("traced_member"), std::string::npos) << name;
        auto generator = traced_generator();
        EXPECT_NE(repr(generator).find("traced_generator"), std::string::npos) << repr(generator);
    });
}

TEST(PromiseParameters, AnAlignmentOrASizeIsNotTakenForTheFrames) {
    run_test([]() -> Coro<> {
        Member member;
        for (std::size_t value : {std::size_t(0), std::size_t(24), std::size_t(64), std::size_t(4096)}) {
            std::size_t given = co_await aligned(std::align_val_t(value));
            EXPECT_EQ(given, value);
            given = co_await member.aligned(std::align_val_t(value));
            EXPECT_EQ(given, value);
            given = co_await sized(value);
            EXPECT_EQ(given, value);
            auto generator = aligned_generator(std::align_val_t(value));
            auto yielded = co_await generator.next();
            EXPECT_EQ(*yielded, value);
        }
    });
}

}  // namespace
