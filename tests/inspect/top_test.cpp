#include "top.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace inspect;

Snapshot look_at(std::initializer_list<Address> waits, std::uint64_t passes = 0, double cpu_seconds = 0) {
    Snapshot look;
    look.title = "process 1 (made)";
    static const Place place = {"work", "work.cpp", 3};
    for (Address waiter : waits) {
        Task task;
        task.name = "Task-" + std::to_string(look.tasks.size() + 1);
        task.identity = look.tasks.size() + 1;
        task.state = waiter == 0 ? State::ready : State::waiting;
        task.wait.kind = waiter == 0 ? WaitKind::nothing : WaitKind::event;
        task.wait.waiter = waiter;
        task.stack.push_back(&place);
        look.tasks.push_back(task);
    }
    Loop loop;
    loop.address = 0x10;
    loop.is_running = true;
    loop.passes = passes;
    loop.thread.cpu_seconds = cpu_seconds;
    loop.end_of_tasks = look.tasks.size();
    look.loops.push_back(loop);
    return look;
}

TEST(InspectTop, KnowsSinceWhenATaskHasStoodInOneWait) {
    History history;
    history.add(look_at({0x100, 0x200, 0x300}), 10);
    history.add(look_at({0x100, 0x201, 0}), 11);
    Snapshot last = look_at({0x100, 0x201, 0x300}, 0);
    history.add(last, 15);
    EXPECT_EQ(history.waited(last.tasks[0]), 5);
    EXPECT_EQ(history.waited(last.tasks[1]), 4);
    EXPECT_EQ(history.waited(last.tasks[2]), 0);  // it ran meanwhile
}

TEST(InspectTop, CountsTheLoopsPassesAndItsShareOfAProcessor) {
    History history;
    Snapshot first = look_at({}, 100, 1.0);
    history.add(first, 10);
    EXPECT_LT(history.passes_per_second(first.loops[0]), 0);
    Snapshot second = look_at({}, 300, 2.0);
    history.add(second, 14);
    EXPECT_EQ(history.passes_per_second(second.loops[0]), 50);
    EXPECT_EQ(history.cpu_share(second.loops[0]), 0.25);
}

TEST(InspectTop, PutsLikeTasksTogetherAndTheMostFirst) {
    Snapshot look = look_at({0, 0x100, 0x200, 0x300});
    History history;
    history.add(look, 1);
    std::string text = draw_top(look, history, nullptr, 10, 200);
    EXPECT_NE(text.find("\n      3 waits  0.0 s    work "), std::string::npos) << text;
    EXPECT_LT(text.find("      3 waits"), text.find("      1 ready"));
    text = draw_top(look, history, nullptr, 1, 40);
    EXPECT_NE(text.find("\n        and 1 more kinds\n"), std::string::npos) << text;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        EXPECT_LE(end - at, 40U);
        at = end + 1;
    }
}

}  // namespace
