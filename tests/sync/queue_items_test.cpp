// What queues keep, in which order they give it back, and that no exception loses it. The orders are those of
// CPython 3.14.10.
#include "sync/queue_support.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace asyncio;
using namespace support;

// CPython: test_queues.py, LifoQueueTests.test_order
TEST(LifoQueue, GivesItsItemsLastInFirstOut) {
    LifoQueue<int> queue;
    for (int i : {1, 3, 2}) queue.put_nowait(i);
    EXPECT_EQ(str(queue), "<LifoQueue maxsize=0 _queue=[1, 3, 2] tasks=3>");
    std::string items;
    while (!queue.empty()) items += std::to_string(queue.get_nowait());
    EXPECT_EQ(items, "231");
}

/// An item of which only the priority is compared, so that equal ones can be told apart.
struct Job {
    int priority;
    char name;
    bool operator<(const Job& other) const { return priority < other.priority; }
};
std::string repr(const Job& job) { return std::to_string(job.priority) + job.name; }

// CPython: test_queues.py, PriorityQueueTests.test_order
TEST(PriorityQueue, GivesTheSmallestFirstAndEqualOnesInPythonsOrder) {
    PriorityQueue<int> numbers;
    for (int i : {1, 3, 2}) numbers.put_nowait(i);
    for (int i : {1, 2, 3}) EXPECT_EQ(numbers.get_nowait(), i);

    PriorityQueue<Job> jobs;
    for (auto [priority, name] :
         {std::pair(2, 'a'), std::pair(1, 'a'), std::pair(1, 'b'), std::pair(0, 'a'), std::pair(2, 'b'),
          std::pair(0, 'b'), std::pair(1, 'c'), std::pair(0, 'c'), std::pair(2, 'c'), std::pair(1, 'd')}) {
        jobs.put_nowait(Job{priority, name});
    }
    EXPECT_EQ(str(jobs), "<PriorityQueue maxsize=0 _queue=[0a, 0c, 0b, 1a, 1d, 1b, 1c, 2a, 2c, 2b] tasks=10>");
    std::string order;
    while (!jobs.empty()) order += repr(jobs.get_nowait()) + " ";
    EXPECT_EQ(order, "0a 0b 0c 1c 1b 1d 1a 2a 2b 2c ");
}

TEST(PriorityQueue, TakesAnotherOrder) {
    auto longer_first = [](const std::string& a, const std::string& b) { return a.size() > b.size(); };
    PriorityQueue<std::string, decltype(longer_first)> queue(0, longer_first);
    for (const char* word : {"ab", "a", "abcd", "abc"}) queue.put_nowait(word);
    EXPECT_EQ(queue.get_nowait(), "abcd");
    EXPECT_EQ(queue.get_nowait(), "abc");
}

TEST(PriorityQueue, LosesNothingWhenAComparisonThrows) {
    bool fails = false;
    auto compare = [&](int a, int b) {
        if (fails) throw ValueError("no");
        return a < b;
    };
    PriorityQueue<int, decltype(compare)> queue(0, compare);
    for (int i : {5, 4, 3, 2, 1}) queue.put_nowait(i);
    fails = true;
    EXPECT_EQ(outcome([&] {
                  queue.put_nowait(0);
                  return 0;
              }),
              "ValueError('no')");
    EXPECT_EQ(outcome([&] { return queue.get_nowait(); }), "ValueError('no')");
    fails = false;
    EXPECT_EQ(queue.qsize(), 5U);
    for (int i : {1, 2, 3, 4, 5}) EXPECT_EQ(queue.get_nowait(), i);
}

TEST(Queue, TakesItemsThatCanOnlyBeMoved) {
    run_test([]() -> Coro<> {
        Queue<std::unique_ptr<int>> queue(1);
        LifoQueue<std::unique_ptr<int>> lifo;
        auto producer = create_task([&]() -> Coro<> {
            for (int i = 0; i < 3; ++i) co_await queue.put(std::make_unique<int>(i));
        });
        for (int i = 0; i < 3; ++i) {
            std::unique_ptr<int> item = co_await queue.get();
            EXPECT_EQ(*item, i);
            co_await lifo.put(std::move(item));
        }
        EXPECT_EQ(*lifo.get_nowait(), 2);
        auto smaller = [](const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) { return *a < *b; };
        PriorityQueue<std::unique_ptr<int>, decltype(smaller)> heap(0, smaller);
        for (int i : {3, 1, 2}) heap.put_nowait(std::make_unique<int>(i));
        std::unique_ptr<int> least = co_await heap.get();
        EXPECT_EQ(*least, 1);
    });
}

/// An item that throws when it is moved, when it is told to.
class Fragile {
public:
    explicit Fragile(int number) : value(number) {}
    Fragile(Fragile&& other) : value(other.value) {
        if (breaks) throw std::runtime_error("broken");
        other.value = -1;
    }
    bool operator<(const Fragile& other) const { return value < other.value; }
    int value;
    static inline bool breaks = false;
};

template <class Queue>
void expect_that_a_broken_move_loses_nothing(Queue& queue) {
    for (int i = 0; i < 20; ++i) queue.put_nowait(Fragile(i));
    Fragile::breaks = true;
    EXPECT_THROW(queue.get_nowait(), std::runtime_error);
    EXPECT_THROW(queue.put_nowait(Fragile(99)), std::runtime_error);
    Fragile::breaks = false;
    int sum = 0;
    EXPECT_EQ(queue.qsize(), 20U);
    while (!queue.empty()) sum += queue.get_nowait().value;
    EXPECT_EQ(sum, 190);
}

TEST(Queue, LosesNoItemWhoseMoveThrows) {
    Queue<Fragile> queue;
    LifoQueue<Fragile> lifo;
    PriorityQueue<Fragile> heap;
    expect_that_a_broken_move_loses_nothing(queue);
    expect_that_a_broken_move_loses_nothing(lifo);
    expect_that_a_broken_move_loses_nothing(heap);
}

TEST(Queue, WakesTheNextGetterWhenTheFirstCannotMoveItsItem) {
    run_test([]() -> Coro<> {
        Queue<Fragile> queue;
        std::string text;
        auto get = [&](bool breaks) -> Coro<> {
            try {
                Fragile item = co_await queue.get();
                text += std::to_string(item.value) + " ";
            } catch (const std::exception& error) {
                text += std::string(error.what()) + " ";
            }
            Fragile::breaks = breaks;
        };
        auto first = create_task(get, false);
        auto second = create_task(get, false);
        co_await sleep(0s);
        queue.put_nowait(Fragile(1));
        Fragile::breaks = true;
        co_await passes(3);
        EXPECT_EQ(text, "broken 1 ");
    });
}

TEST(Queue, LetsItsItemsUseItWhileTheyAreDropped) {
    struct Dropped {
        explicit Dropped(Queue<std::unique_ptr<Dropped>>& where) : queue(where) {}
        ~Dropped() {
            seen += std::to_string(queue.qsize()) + outcome([this] { return queue.get_nowait(); }) + " ";
        }
        Queue<std::unique_ptr<Dropped>>& queue;
        static std::string& seen_text() {
            static std::string text;
            return text;
        }
        std::string& seen = seen_text();
    };
    Queue<std::unique_ptr<Dropped>> queue;
    for (int i = 0; i < 2; ++i) queue.put_nowait(std::make_unique<Dropped>(queue));
    queue.shutdown(true);
    EXPECT_EQ(Dropped::seen_text(), "0QueueShutDown() 0QueueShutDown() ");
}

}  // namespace
