// Places of coroutines in a module that has been unloaded.
#include "core/past_place.h"

#include <asyncio/core/traceback.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <source_location>
#include <string>

using namespace asyncio;
using namespace asyncio::detail;
using namespace std::chrono_literals;

namespace {

/// What a compiler puts down for std::source_location::current(), in memory that can be taken away.
class Module {
public:
    Module() : memory_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        auto* bytes = static_cast<char*>(memory_);
        std::strcpy(bytes + 64, "plugin.cpp");
        std::strcpy(bytes + 128, "asyncio::Coro<void> plugin::work(int)");
        std::strcpy(bytes + size - 3, "at");  // to the end of its page
        place(0, bytes + 64, bytes + 128, 7);
        place(32, bytes + size - 3, bytes + 128, 8);
        std::strcpy(bytes + 288, "b\\s\"q'.cpp");
        place(320, bytes + 288, bytes + 128, 10);
        std::strcpy(bytes + 192, "E\xf4t*H\x01");
        place(240, bytes + 192, bytes + 128, 1'302'001'784);
        place(48 + 160, bytes + 64, reinterpret_cast<const char*>(std::uintptr_t{16}), 9);
    }
    ~Module() { unload(); }
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    void unload() {
        if (memory_ != nullptr) ::munmap(memory_, size);
        memory_ = nullptr;
    }
    std::source_location at(std::size_t offset) const {
        const char* address = static_cast<const char*>(memory_) + offset;
        return __builtin_bit_cast(std::source_location, address);
    }

private:
    static constexpr std::size_t size = 4096;
    void place(std::size_t offset, const char* file, const char* function, unsigned line) {
        char* to = static_cast<char*>(memory_) + offset;
        std::memcpy(to, &file, sizeof file);
        std::memcpy(to + sizeof file, &function, sizeof function);
        std::memcpy(to + 2 * sizeof file, &line, sizeof line);
    }
    void* memory_;
};

TEST(PastPlace, IsThatOfItsModule) {
    Module module;
    ASSERT_EQ(std::string(module.at(0).file_name()), "plugin.cpp");
    StackEntry entry = past_stack_entry({module.at(0), module.at(32)});
    EXPECT_EQ(entry.function, "plugin::work");
    EXPECT_EQ(entry.file, "at");
    EXPECT_EQ(entry.line, 8);
}

TEST(PastPlace, MayHaveAnyNameThatCanBePrinted) {
    Module module;
    EXPECT_EQ(past_stack_entry({module.at(320), module.at(320)}).file, "b\\s\"q'.cpp");
}

TEST(PastPlace, IsUnknownWhenItsModuleIsGone) {
    Module module;
    FramePlace there = {module.at(0), module.at(32)};
    module.unload();
    StackEntry entry = past_stack_entry(there);
    EXPECT_EQ(entry.function, "?");
    EXPECT_EQ(entry.file, "?");
    EXPECT_EQ(entry.line, 0);
}

TEST(PastPlace, OfACancellationIsToldOnlyWhileItIsThere) {
    Module module;
    std::exception_ptr error;
    run([&]() -> Coro<> {
        Task<> task = create_task([]() -> Coro<> { co_await sleep(1h); });
        co_await sleep(0);
        task.cancel(std::nullopt, module.at(0));
        co_await wait(task);
        try {
            co_await task;
        } catch (const CancelledError&) {
            error = std::current_exception();
        }
    }());
    EXPECT_NE(format_exception(error).find("at plugin.cpp:7\n"), std::string::npos) << format_exception(error);
    module.unload();
    EXPECT_EQ(format_exception(error).find("\ncancelled "), std::string::npos) << format_exception(error);
}

TEST(PastPlace, IsReadAsFarAsItCanBeWhereSomethingElseIsNow) {
    Module module;
    StackEntry entry = past_stack_entry({module.at(208), module.at(0)});
    EXPECT_EQ(entry.function, "?");
    EXPECT_EQ(entry.file, "plugin.cpp");
    entry = past_stack_entry({module.at(240), module.at(240)});
    EXPECT_EQ(entry.function, "plugin::work");
    EXPECT_EQ(entry.file, "?");
    EXPECT_EQ(entry.line, 0);
}

}  // namespace
