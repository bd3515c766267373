#include <asyncio/errors/exceptions.h>
#include <asyncio/loop/executor.h>
#include <gtest/gtest.h>

#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <latch>
#include <memory>
#include <set>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

struct Job final : ExecutorJob {
    explicit Job(std::function<void()> work) : work_(std::move(work)) {}
    void run() noexcept override { work_(); }

private:
    std::function<void()> work_;
};

/// Runs it to its end on the pool.
void run_on(ThreadPoolExecutor& pool, const std::function<void()>& work) {
    std::latch done(1);
    Job job([&] {
        work();
        done.count_down();
    });
    pool.submit(job);
    done.wait();
}

/// Keeps one worker busy until `release()`.
struct Blocker {
    explicit Blocker(ThreadPoolExecutor& pool)
        : job([this] {
              started.count_down();
              released.wait();
          }) {
        pool.submit(job);
        started.wait();
    }
    void release() { released.count_down(); }

    std::latch started{1}, released{1};
    Job job;
};

void wait_until_asleep(pid_t thread) {
    std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
    for (std::string stat; stat.find(") S ") == std::string::npos;) {
        std::getline(std::ifstream(path), stat);
        std::this_thread::sleep_for(100us);
    }
}

TEST(ThreadPool, RunsJobsInTheOrderTheyCame) {
    std::string order;
    {
        ThreadPoolExecutor pool(1);
        Blocker blocker(pool);
        Job a([&] { order += 'a'; }), b([&] { order += 'b'; }), c([&] { order += 'c'; });
        for (Job* job : {&a, &b, &c}) pool.submit(*job);
        blocker.release();
        pool.shutdown(true);
    }
    EXPECT_EQ(order, "abc");
}

// As CPython's concurrent.futures: test_thread_pool.py, test_idle_thread_reuse
TEST(ThreadPool, StartsNoThreadWhileOneIsIdle) {
    ThreadPoolExecutor pool(8);
    std::set<pid_t> threads;
    for (int i = 0; i < 5; ++i) {
        pid_t thread = 0;
        run_on(pool, [&] { thread = ::gettid(); });
        threads.insert(thread);
        wait_until_asleep(thread);
    }
    EXPECT_EQ(threads.size(), 1u);
}

// As CPython's concurrent.futures: test_thread_pool.py, test_saturation
TEST(ThreadPool, StartsThreadsAsTheyAreNeededUpToItsLimit) {
    ThreadPoolExecutor pool(2);
    Blocker first(pool), second(pool);
    std::atomic<bool> ran = false;
    Job third([&] { ran = true; });
    pool.submit(third);
    std::this_thread::sleep_for(1ms);
    EXPECT_FALSE(ran);
    first.release();
    second.release();
    pool.shutdown(true);
    EXPECT_TRUE(ran);
}

TEST(ThreadPool, NamesItsThreadsAndKeepsTheNumberOfALongName) {
    ThreadPoolExecutor pool;
    Blocker blocker(pool);
    char name[16] = {};
    auto read_name = [&] { pthread_getname_np(pthread_self(), name, sizeof name); };
    run_on(pool, read_name);
    EXPECT_STREQ(name, "asyncio_1");
    blocker.release();
    ThreadPoolExecutor other(1, "a_very_long_thread_name");
    run_on(other, read_name);
    EXPECT_STREQ(name, "a_very_long_t_0");
    pool.shutdown(true);
}

std::atomic<pid_t> handled_by = 0;

TEST(ThreadPool, ItsThreadsLeaveSignalsToTheMainThread) {
    ThreadPoolExecutor pool(2);
    Blocker blocker(pool);
    struct sigaction action = {};
    struct sigaction former = {};
    action.sa_handler = [](int) { handled_by = ::gettid(); };
    ::sigaction(SIGUSR1, &action, &former);
    run_on(pool, [] { ::kill(::getpid(), SIGUSR1); });
    while (handled_by == 0) std::this_thread::yield();
    EXPECT_EQ(handled_by, ::getpid());
    ::sigaction(SIGUSR1, &former, nullptr);
    blocker.release();
}

TEST(ThreadPool, WhatItsThreadsStartHasTheMaskOfWhoStartedThem) {
    sigset_t usr2;
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, &usr2, &before);
    ThreadPoolExecutor pool(1);
    sigset_t mask;
    pid_t child = -1;
    run_on(pool, [&] {
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        const char* command[] = {"sleep", "30", nullptr};
        ::posix_spawnp(&child, "sleep", nullptr, nullptr, const_cast<char**>(command), environ);
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(sigismember(&mask, SIGUSR2), 1);
    for (int signum : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE}) EXPECT_EQ(sigismember(&mask, signum), 0) << signum;
    int status = 0;
    ::kill(child, SIGTERM);
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

TEST(ThreadPool, TakesBackOnlyAJobThatHasNotBegun) {
    ThreadPoolExecutor pool(1);
    Blocker blocker(pool);
    std::string order;
    Job a([&] { order += 'a'; }), b([&] { order += 'b'; }), c([&] { order += 'c'; });
    for (Job* job : {&a, &b, &c}) pool.submit(*job);
    EXPECT_FALSE(pool.try_cancel(blocker.job));
    EXPECT_TRUE(pool.try_cancel(b));
    EXPECT_FALSE(pool.try_cancel(b));
    EXPECT_TRUE(pool.try_cancel(c));
    pool.submit(c);
    EXPECT_TRUE(pool.try_cancel(a));
    blocker.release();
    pool.shutdown(true);
    EXPECT_FALSE(pool.try_cancel(c));
    EXPECT_EQ(order, "c");
}

TEST(ThreadPool, RefusesJobsAfterShutdownAndANegativeNumberOfWorkers) {
    ThreadPoolExecutor pool;
    pool.shutdown(false);
    Job job([] {});
    try {
        pool.submit(job);
        ADD_FAILURE();
    } catch (const RuntimeError& error) {
        EXPECT_STREQ(error.what(), "cannot schedule new futures after shutdown");
    }
    EXPECT_FALSE(pool.try_cancel(job));
    EXPECT_THROW(ThreadPoolExecutor(-1), ValueError);
}

TEST(ThreadPool, AfterAShutdownThatDoesNotWaitTheThreadsFinishWithoutTheExecutor) {
    std::latch done(2);
    auto pool = std::make_unique<ThreadPoolExecutor>(1);
    Blocker blocker(*pool);
    Job first([&] { done.count_down(); }), second([&] { done.count_down(); });
    for (Job* job : {&first, &second}) pool->submit(*job);
    pool->shutdown(false);
    pool.reset();
    blocker.release();
    done.wait();
}

TEST(ThreadPool, AShutdownThatDoesNotWaitMayBeFollowedByOneThatDoes) {
    std::atomic<int> ran = 0;
    ThreadPoolExecutor pool(1);
    Blocker blocker(pool);
    Job job([&] { ++ran; });
    pool.submit(job);
    pool.shutdown(false);
    std::thread other([&] { pool.shutdown(true); });
    blocker.release();
    pool.shutdown(true);
    EXPECT_EQ(ran, 1);
    other.join();
}

TEST(ThreadPool, AWorkerCannotWaitForItself) {
    ThreadPoolExecutor pool(1);
    run_on(pool, [&] { EXPECT_THROW(pool.shutdown(true), RuntimeError); });
}

TEST(ThreadPool, MayDieOnItsOwnWorker) {
    std::latch done(1);
    auto pool = std::make_unique<ThreadPoolExecutor>(1);
    Job job([&] {
        pool.reset();
        done.count_down();
    });
    pool->submit(job);
    done.wait();
}

TEST(ThreadPool, AJobMayDestroyItselfAndSubmitOthers) {
    struct Chain final : ExecutorJob {
        Chain(ThreadPoolExecutor& on, std::latch& counts, int more) : pool(on), done(counts), left(more) {}
        void run() noexcept override {
            if (left > 0) pool.submit(*new Chain(pool, done, left - 1));
            std::latch& counts = done;
            delete this;
            counts.count_down();
        }
        ThreadPoolExecutor& pool;
        std::latch& done;
        int left;
    };
    std::latch done(101);
    ThreadPoolExecutor pool(3);
    pool.submit(*new Chain(pool, done, 100));
    done.wait();
}

TEST(ThreadPool, EachOfManyJobsRunsOnceOrIsTakenBack) {
    constexpr int count = 2000;
    std::atomic<int> ran = 0, taken_back = 0;
    ThreadPoolExecutor pool(4);
    std::vector<std::thread> submitters;
    std::vector<std::unique_ptr<Job>> jobs[3];
    for (auto& mine : jobs) {
        submitters.emplace_back([&] {
            for (int i = 0; i < count; ++i) {
                mine.push_back(std::make_unique<Job>([&] { ++ran; }));
                pool.submit(*mine.back());
                if (i % 3 == 0) taken_back += pool.try_cancel(*mine[mine.size() / 2]);
            }
        });
    }
    for (std::thread& submitter : submitters) submitter.join();
    pool.shutdown(true);
    EXPECT_EQ(ran + taken_back, 3 * count);
}

}  // namespace
}  // namespace asyncio
