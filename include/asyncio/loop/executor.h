#pragma once

#include <cstddef>
#include <string>

namespace asyncio {

class ExecutorJob;
class ThreadPoolExecutor;

namespace detail {
namespace bases {

/// The place of a job in the line of a thread pool.
class ExecutorJobLink {
protected:
    /// Its executor has been destroyed; the threads, which were left to themselves, will still run it.
    bool executor_is_gone() const noexcept { return __atomic_load_n(&executor_is_gone_, __ATOMIC_RELAXED); }

private:
    friend asyncio::ThreadPoolExecutor;
    ExecutorJob* previous_ = nullptr;
    ExecutorJob* next_ = nullptr;
    bool queued_ = false;
    bool executor_is_gone_ = false;  // atomic
};

}  // namespace bases
using bases::ExecutorJobLink;

}  // namespace detail

/// A piece of work for an executor: stays alive until `run()` was called or `try_cancel()` succeeded.
class ExecutorJob : public detail::ExecutorJobLink {
public:
    /// Called once, on a thread of the executor.
    virtual void run() noexcept = 0;

protected:
    ~ExecutorJob() = default;
};

/// Where `run_in_executor()` and `to_thread()` run what blocks. Python: concurrent.futures.Executor.
class Executor {
public:
    virtual ~Executor() = default;

    /// Queues the job. Throws RuntimeError after `shutdown()`. Safe from any thread.
    virtual void submit(ExecutorJob& job) = 0;

    /// Takes back a job that has not begun: true means that it never runs. Safe from any thread.
    virtual bool try_cancel(ExecutorJob& job) noexcept = 0;

    /// Refuses new jobs; those queued still run. `wait` returns when all threads have ended.
    virtual void shutdown(bool wait) = 0;

    /// How many jobs it runs at the same time at most. When that many wait for the loop itself, the others cannot begin
    /// before a virtual clock jumps.
    virtual std::size_t concurrency() const noexcept;
};

/// A pool of threads that are started as they are needed.
///
/// Python: concurrent.futures.ThreadPoolExecutor. Its destructor is `shutdown(true)`.
class ThreadPoolExecutor final : public Executor {
public:
    ThreadPoolExecutor() : ThreadPoolExecutor(0) {}
    /// Zero workers means Python's default: four more than there are processors, at most 32. Throws ValueError
    /// for less than none.
    explicit ThreadPoolExecutor(int max_workers, std::string thread_name_prefix = "asyncio");
    ~ThreadPoolExecutor() override;
    ThreadPoolExecutor(const ThreadPoolExecutor&) = delete;
    ThreadPoolExecutor& operator=(const ThreadPoolExecutor&) = delete;

    /// As the Executor's. Throws RuntimeError after `shutdown()`.
    void submit(ExecutorJob& job) override;
    /// As the Executor's.
    bool try_cancel(ExecutorJob& job) noexcept override;
    /// As the Executor's. To wait on one of its own threads throws RuntimeError.
    void shutdown(bool wait) override;
    /// How many workers there can be.
    std::size_t concurrency() const noexcept override;

private:
    struct State;
    State* state_;
};

}  // namespace asyncio
