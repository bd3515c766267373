#include "draw.h"

#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <regex>
#include <string>

namespace {

using namespace inspect;

/// A look that nobody took.
class Made {
public:
    Made() { look.title = "process 1 (made)"; }

    std::size_t add(const std::string& name, std::initializer_list<Place> stack = {},
                    std::initializer_list<std::size_t> awaits = {}) {
        Task task;
        task.name = name;
        task.state = State::waiting;
        task.wait.kind = awaits.size() == 0 ? WaitKind::nothing : WaitKind::task;
        if (awaits.size() == 0) task.state = State::ready;
        for (const Place& place : stack) {
            places.push_back(place);
            task.stack.push_back(&places.back());
        }
        task.awaits = awaits;
        look.tasks.push_back(task);
        return look.tasks.size() - 1;
    }
    /// Once all are there: in one loop.
    const Snapshot& done() {
        for (std::size_t i = 0; i < look.tasks.size(); ++i) {
            for (std::size_t awaited : look.tasks[i].awaits) look.tasks[awaited].awaited_by.push_back(i);
        }
        Loop loop;
        loop.address = 0x10;
        loop.end_of_tasks = look.tasks.size();
        look.loops.push_back(loop);
        return look;
    }
    std::string tree() { return draw_tree(done(), nullptr); }
    /// Without the lines of the loop and of the titles.
    std::string table() {
        std::string text = draw_table(done(), nullptr);
        return text.substr(text.find('\n', text.find("TASK")) + 1);
    }

    Snapshot look;
    std::deque<Place> places;
};

// CPython: test_tools.py, TestAsyncioToolsBasic.test_empty_input_tree
TEST(InspectTree, OfNothingIsNothing) { EXPECT_EQ(Made().tree(), ""); }

TEST(InspectLoop, SaysWhetherItWaitsOrAStepBlocksIt) {
    Made made;
    std::size_t task = made.add("report");
    Snapshot look = made.done();
    Loop& loop = look.loops[0];
    loop.is_running = true;
    loop.thread.number = 7;
    loop.thread.state = 'S';
    EXPECT_EQ(text_of_loop(look, loop), "loop at 0x10, 1 task, in thread 7, which waits");
    look.tasks[task].state = State::running;
    EXPECT_EQ(text_of_loop(look, loop), "loop at 0x10, 1 task, in thread 7, which a step of 'report' blocks");
    loop.thread.state = 'R';
    EXPECT_EQ(text_of_loop(look, loop), "loop at 0x10, 1 task, in thread 7, which runs");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_empty_input_table
TEST(InspectTable, OfNothingSaysSo) {
    EXPECT_EQ(draw_table(Made().look, nullptr), "process 1 (made) has no loop\n");
    EXPECT_EQ(draw_table(Made().done(), nullptr), "loop at 0x10, 0 tasks, not running\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_only_independent_tasks_tree
TEST(InspectTree, TasksThatNobodyAwaitsAreRoots) {
    Made made;
    made.add("taskA");
    made.add("taskB");
    EXPECT_EQ(made.tree(), "└── (T) taskA\n└── (T) taskB\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_only_independent_tasks_table
TEST(InspectTable, HasALineForEachTask) {
    Made made;
    made.add("taskA");
    made.add("taskB");
    EXPECT_EQ(made.table(), "  taskA ready\n  taskB ready\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_single_task_tree
TEST(InspectTree, OfOneTask) {
    Made made;
    made.add("Task-1");
    EXPECT_EQ(made.tree(), "└── (T) Task-1\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_single_task_table
TEST(InspectTable, OfOneTask) {
    Made made;
    made.add("Task-1");
    EXPECT_EQ(made.table(), "  Task-1 ready\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_complex_tree
TEST(InspectTree, WhoAwaitsIsAboveWhomItAwaits) {
    Made made;
    made.add("Task-1", {{"main", "", 0}}, {1});
    made.add("Task-2", {{"main", "", 0}}, {2});
    made.add("Task-3");
    EXPECT_EQ(made.tree(),
              "└── (T) Task-1\n"
              "    └──  main\n"
              "        └── (T) Task-2\n"
              "            └──  main\n"
              "                └── (T) Task-3\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_complex_table
TEST(InspectTable, NamesWhoAwaits) {
    Made made;
    made.add("Task-1", {{"main", "", 0}}, {1});
    made.add("Task-2", {{"main", "", 0}}, {2});
    made.add("Task-3");
    EXPECT_EQ(made.table(),
              "  Task-1 waits main                     task 'Task-2'\n"
              "  Task-2 waits main          Task-1     task 'Task-3'\n"
              "  Task-3 ready               Task-2\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_deep_coroutine_chain
TEST(InspectTree, HasTheCoroutinesBetweenTheOutermostFirst) {
    Made made;
    made.add("leaf");
    made.add("root", {{"c5", "", 0}, {"c4", "", 0}, {"c3", "", 0}, {"c2", "", 0}, {"c1", "", 0}}, {0});
    EXPECT_EQ(made.tree(),
              "└── (T) root\n"
              "    └──  c5\n"
              "        └──  c4\n"
              "            └──  c3\n"
              "                └──  c2\n"
              "                    └──  c1\n"
              "                        └── (T) leaf\n");
}

/// The shape of the first of CPython's examples: two subtasks in each of two groups, which all await one timer.
void add_groups(Made& made) {
    constexpr const char* app = "/path/to/app.py";
    made.add("Task-1", {{"main", "", 0}, {"__aexit__", "", 0}, {"_aexit", "", 0}}, {2, 3});
    made.add("timer");
    made.add("root1", {{"blocho", "", 0}, {"_aexit", "", 0}}, {4, 5});
    made.add("root2", {{"blocho", "", 0}, {"_aexit", "", 0}}, {6, 7});
    for (const char* name : {"child1_1", "child2_1", "child1_2", "child2_2"}) {
        made.add(name, {{"awaiter", app, 110}, {"awaiter2", app, 120}, {"awaiter3", app, 130}}, {1});
    }
}

// CPython: test_tools.py, TestAsyncioToolsTree.test_asyncio_utils
TEST(InspectTree, ATaskThatSeveralAwaitIsDrawnOnceAndNamedWhereItComesAgain) {
    Made made;
    add_groups(made);
    EXPECT_EQ(made.tree(),
              R"(└── (T) Task-1
    └──  main
        └──  __aexit__
            └──  _aexit
                ├── (T) root1
                │   └──  blocho
                │       └──  _aexit
                │           ├── (T) child1_1
                │           │   └──  awaiter /path/to/app.py:110
                │           │       └──  awaiter2 /path/to/app.py:120
                │           │           └──  awaiter3 /path/to/app.py:130
                │           │               └── (T) timer
                │           └── (T) child2_1
                │               └──  awaiter /path/to/app.py:110
                │                   └──  awaiter2 /path/to/app.py:120
                │                       └──  awaiter3 /path/to/app.py:130
                │                           └── (T) timer, as above
                └── (T) root2
                    └──  blocho
                        └──  _aexit
                            ├── (T) child1_2
                            │   └──  awaiter /path/to/app.py:110
                            │       └──  awaiter2 /path/to/app.py:120
                            │           └──  awaiter3 /path/to/app.py:130
                            │               └── (T) timer, as above
                            └── (T) child2_2
                                └──  awaiter /path/to/app.py:110
                                    └──  awaiter2 /path/to/app.py:120
                                        └──  awaiter3 /path/to/app.py:130
                                            └── (T) timer, as above
)");
}

// CPython: test_tools.py, TestAsyncioToolsTable.test_asyncio_utils
TEST(InspectTable, ATaskThatSeveralAwaitHasTheNameOfOneAndTheirNumber) {
    Made made;
    add_groups(made);
    std::string table = made.table();
    EXPECT_TRUE(std::regex_search(table, std::regex("\n  timer    ready +child1_1 \\+3\n"))) << table;
    EXPECT_NE(table.find("\n  child2_2 waits awaiter -> awaiter2 -> awaiter3 app.py:130 root2       task 'timer'\n"),
              std::string::npos)
        << table;
}

// CPython: test_tools.py, TestAsyncioToolsTree.test_asyncio_utils_cycles
TEST(InspectTree, NamesACircleBelowWhoLeadsToIt) {
    Made made;
    made.add("Task-1", {{"main", "", 0}}, {1});
    made.add("a", {{"nested", "", 0}}, {2});
    made.add("b", {{"nested", "", 0}}, {1});
    EXPECT_EQ(made.tree(),
              "deadlock: 'a' -> 'b' -> 'a'\n"
              "└── (T) Task-1\n"
              "    └──  main\n"
              "        └── (T) a\n"
              "            └──  nested\n"
              "                └── (T) b\n"
              "                    └──  nested\n"
              "                        └── (T) a, as above\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_cycle_detection
TEST(InspectTree, NamesACircleAndDrawsItFromOneOfItsTasks) {
    Made made;
    made.add("Task-1", {{"main", "", 0}}, {1});
    made.add("Task-2", {{"main", "", 0}}, {0});
    EXPECT_EQ(made.tree(),
              "deadlock: 'Task-1' -> 'Task-2' -> 'Task-1'\n"
              "└── (T) Task-1\n"
              "    └──  main\n"
              "        └── (T) Task-2\n"
              "            └──  main\n"
              "                └── (T) Task-1, as above\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_multiple_cycles_same_node
TEST(InspectTree, NamesEachOfTwoCirclesThatShareATask) {
    Made made;
    made.add("Task-A", {}, {2});
    made.add("Task-B", {}, {0, 2});
    made.add("Task-C", {}, {1});
    std::string tree = made.tree();
    EXPECT_NE(tree.find("deadlock: 'Task-A' -> 'Task-C' -> 'Task-B' -> 'Task-A'\n"), std::string::npos) << tree;
    EXPECT_NE(tree.find("deadlock: 'Task-C' -> 'Task-B' -> 'Task-C'\n"), std::string::npos) << tree;
}

// CPython: test_tools.py, TestAsyncioToolsEdgeCases.test_task_awaits_self
TEST(InspectTree, ATaskThatAwaitsItselfIsACircle) {
    Made made;
    made.add("Self-Awaiter", {{"loopback", "", 0}}, {0});
    EXPECT_EQ(made.tree(),
              "deadlock: 'Self-Awaiter' -> 'Self-Awaiter'\n"
              "└── (T) Self-Awaiter\n"
              "    └──  loopback\n"
              "        └── (T) Self-Awaiter, as above\n");
}

// CPython: test_tools.py, TestAsyncioToolsBasic.test_table_output_format
TEST(InspectTable, HasATitleAboveEachColumn) {
    Made made;
    made.add("Task-A");
    made.add("Task-B", {{"foo", "a/b/foo.cpp", 7}}, {0});
    EXPECT_EQ(draw_table(made.done(), nullptr),
              "loop at 0x10, 2 tasks, not running\n"
              "  TASK   STATE COROUTINES AT        AWAITED BY WAITS FOR\n"
              "  Task-A ready                      Task-B\n"
              "  Task-B waits foo        foo.cpp:7            task 'Task-A'\n");
}

// CPython: test_tools.py, TestAsyncioToolsEdgeCases.test_frames_without_location_tree
TEST(InspectTree, AFrameThatCouldNotBeReadIsThereWithoutItsPlace) {
    Made made;
    made.add("Task-A", {{"big", "big.cpp", 3}, {"?", "app.cpp", 1}, {"?", "", 0}});
    EXPECT_EQ(made.tree(),
              "└── (T) Task-A\n"
              "    └──  big big.cpp:3\n"
              "        └──  ? app.cpp:1\n"
              "            └──  ?\n");
}

// CPython: test_tools.py, TestAsyncioToolsEdgeCases.test_frames_without_location_table
TEST(InspectTable, NamesOfFunctionsMayHaveBlanks) {
    Made made;
    made.add("Task-A", {{"operator new of it", "", 0}, {"?", "", 0}});
    EXPECT_EQ(made.table(), "  Task-A ready operator new of it -> ?\n");
}

// CPython: test_tools.py, TestAsyncioToolsEdgeCases.test_task_with_missing_awaiter_id
TEST(InspectTable, ATaskThatIsNotThereIsNotNamed) {
    Made made;
    std::size_t task = made.add("Task-A");
    made.look.tasks[task].state = State::waiting;
    made.look.tasks[task].wait.kind = WaitKind::lock;
    made.look.tasks[task].wait.subject = 0x20;
    made.look.tasks[task].wait.owner = 999;
    EXPECT_NE(made.table().find("Lock at 0x20 that a task that is over holds\n"), std::string::npos);
}

// CPython: test_tools.py, TestAsyncioToolsEdgeCases.test_duplicate_coroutine_frames
TEST(InspectTree, EachAwaiterOfATaskHasAFrameOfItsOwn) {
    Made made;
    made.add("Task-1");
    made.add("Task-2", {{"frameA", "", 0}}, {0});
    made.add("Task-3", {{"frameA", "", 0}}, {0});
    EXPECT_EQ(made.tree(),
              "└── (T) Task-2\n"
              "    └──  frameA\n"
              "        └── (T) Task-1\n"
              "└── (T) Task-3\n"
              "    └──  frameA\n"
              "        └── (T) Task-1, as above\n");
}

// CPython: test_tools.py, TestAsyncioToolsEdgeCases.test_task_with_no_name
TEST(InspectTree, ATaskWithoutANameIsAQuestionMark) {
    Made made;
    made.add("?", {{"f", "", 0}});
    EXPECT_EQ(made.tree(), "└── (T) ?\n    └──  f\n");
}

TEST(InspectTree, AChainOfManyTasksIsDrawnInBoundedSpace) {
    Made made;
    constexpr std::size_t count = 100'000;
    for (std::size_t i = 0; i + 1 < count; ++i) made.add("t", {{"f", "", 0}}, {i + 1});
    made.add("last");
    EXPECT_LT(made.tree().size(), 1000U * count);
}

TEST(InspectText, WhatCouldDoSomethingToATerminalIsEscaped) {
    EXPECT_EQ(clean("plain, größer, 名前, 🙂"), "plain, größer, 名前, 🙂");
    EXPECT_EQ(clean("\x1b[31m\n\t\x7f"), "\\x1b[31m\\x0a\\x09\\x7f");
    EXPECT_EQ(clean("\xc2\x9b"
                    "31m"),
              "\\xc2\\x9b31m");                           // a control character of two bytes
    EXPECT_EQ(clean("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // turns the writing round
    EXPECT_EQ(clean("\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"),
              "\\xff\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xe2\\x82");  // no UTF-8
    EXPECT_EQ(fit("größer", 3), "gr~");
    EXPECT_EQ(fit("ab", 4), "ab  ");
}

}  // namespace
