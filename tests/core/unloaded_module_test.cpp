// What is told of tasks whose coroutines were in a module that dlclose() has taken away since.
#include "core/unloaded_module.h"

#include <asyncio/core/deadlock.h>
#include <asyncio/core/stack.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

class UnloadedModule : public testing::Test {
protected:
    void SetUp() override {
        module_ = ::dlopen(ASYNCIO_UNLOADED_MODULE, RTLD_NOW | RTLD_LOCAL);
        ASSERT_NE(module_, nullptr) << ::dlerror();
    }
    void TearDown() override { unload(); }
    template <class Function>
    Function* function(const char* name) {
        return reinterpret_cast<Function*>(::dlsym(module_, name));
    }
    void unload() {
        if (module_ == nullptr) return;
        ::dlclose(std::exchange(module_, nullptr));
        bool is_there = ::dlopen(ASYNCIO_UNLOADED_MODULE, RTLD_NOW | RTLD_NOLOAD) != nullptr;
        EXPECT_FALSE(is_there) << "it was not unloaded";
    }

private:
    void* module_ = nullptr;
};

TEST_F(UnloadedModule, ATaskThatIsOverIsShownWithoutItsPlace) {
    run([&]() -> Coro<> {
        Coro<> work;
        Coro<> failing;
        function<ModuleWork>("module_work")(&work);
        function<ModuleWork>("module_fail")(&failing);
        Task<> task = create_task(std::move(work), {.name = "worker"});
        Task<> failed = create_task(std::move(failing), {.name = "failed"});
        co_await wait(task, failed);
        EXPECT_NE(repr(task).find("coro=<plugin::work() done, defined at "), std::string::npos) << repr(task);
        EXPECT_EQ(failed.get_stack().at(0).function, "plugin::fail");
        EXPECT_TRUE(failed.exception());  // whose type is the program's
        unload();
        EXPECT_EQ(repr(task), "<Task finished name='worker' coro=<?() done, defined at ?:0> result=None>");
        std::vector<StackEntry> stack = failed.get_stack();
        EXPECT_EQ(stack.at(0).function, "?");
        EXPECT_EQ(stack.at(0).file, "?");
    }());
}

Coro<> take_both(Coro<> take_first, Lock& second) {
    co_await std::move(take_first);
    co_await sleep(0s);
    co_await second.acquire();
}
Coro<> take_first_of_two(Lock& first, Lock& second) {
    co_await first.acquire();
    co_await sleep(0s);
    co_await second.acquire();
}

TEST_F(UnloadedModule, ADeadlockIsToldThoughNobodyKnowsWhereItsLockWasTaken) {
    run([&]() -> Coro<> {
        Lock first;
        Lock second;
        Coro<> take;
        function<ModuleTake>("module_take")(&take, &first);
        Task<> a = create_task(take_both(std::move(take), second), {.name = "A"});
        Task<> b = create_task(take_first_of_two(second, first), {.name = "B"});
        co_await sleep(1ms);
        auto told = [] {
            std::vector<Deadlock> found = find_deadlocks();
            return found.size() == 1 ? found[0].text : "nothing";
        };
        EXPECT_NE(told().find("unloaded_module.cpp:"), std::string::npos) << told();
        unload();
        EXPECT_NE(told().find(" locked by 'A'> at "), std::string::npos) << told();
        EXPECT_NE(told().find("taken at ?:0"), std::string::npos) << told();
        a.cancel();
        b.cancel();
        co_await wait(a, b);
    }());
}

}  // namespace
