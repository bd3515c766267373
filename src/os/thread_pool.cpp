#include "detail/fork_aware.h"
#include "detail/threads.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/loop/executor.h>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

namespace asyncio {
namespace {

int default_max_workers() noexcept {
    cpu_set_t processors;
    CPU_ZERO(&processors);
    bool known = ::sched_getaffinity(0, sizeof processors, &processors) == 0;
    int count = known ? CPU_COUNT(&processors) : static_cast<int>(std::thread::hardware_concurrency());
    return std::min(32, std::max(1, count) + 4);
}

/// Linux keeps 15 characters of a thread's name: the number is what must not be lost.
std::string worker_name(const std::string& prefix, std::size_t number) {
    std::string digits = std::to_string(number);
    return prefix.substr(0, 14 - std::min<std::size_t>(14, digits.size())) + '_' + digits;
}

}  // namespace

/// What the threads share. It outlives the executor when nobody waits for them.
struct ThreadPoolExecutor::State final : detail::ForkAware {
    State(std::size_t most, std::string prefix) : max_workers(most), name_prefix(std::move(prefix)) {
        begin_to_follow_forks();
    }
    ~State() { end_to_follow_forks(); }

    void push(ExecutorJob& job) noexcept;
    void unlink(ExecutorJob& job) noexcept;
    void start_thread();
    void note_free() noexcept;
    struct Worker {
        std::thread thread;
        bool busy = true;  // until it first waits
    };
    using Workers = std::list<Worker>;  // a worker knows its place in it
    void work(Worker& self) noexcept;
    void stop() noexcept;
    void join();
    void let_go() noexcept;
    void leave_alone(Workers& those, Workers::iterator worker) noexcept;
    void before_fork() noexcept override { mutex.lock(); }
    void after_fork_in_parent() noexcept override { mutex.unlock(); }
    void after_fork_in_child() noexcept override;
    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    const std::size_t max_workers;
    const std::string name_prefix;
    std::atomic<std::size_t> references = 1;  // the executor's and one for each running thread

    std::mutex mutex;  // guards all that follows, and `queued_` and the links of the jobs
    std::condition_variable job_or_stop;
    ExecutorJob* first = nullptr;
    ExecutorJob* last = nullptr;
    std::size_t queued = 0;
    // Threads in `job_or_stop`. One that was notified counts until it has run, but so does its job
    // in `queued`: the difference is who is really free.
    std::size_t waiting = 0;
    std::size_t noted_free = 0;  // those that are counted as idle
    std::size_t started = 0;
    bool stopped = false;
    Workers workers;
    Workers left_alone;  // detached: each still looks at its place

    std::mutex joining;  // held while threads are joined: a second shutdown(true) waits as well
};

namespace {
thread_local const void* pool_of_this_thread = nullptr;
}

void ThreadPoolExecutor::State::push(ExecutorJob& job) noexcept {
    job.previous_ = last;
    job.next_ = nullptr;
    job.queued_ = true;
    (last != nullptr ? last->next_ : first) = &job;
    last = &job;
    ++queued;
    note_free();
}

void ThreadPoolExecutor::State::unlink(ExecutorJob& job) noexcept {
    (job.previous_ != nullptr ? job.previous_->next_ : first) = job.next_;
    (job.next_ != nullptr ? job.next_->previous_ : last) = job.previous_;
    job.previous_ = job.next_ = nullptr;
    job.queued_ = false;
    --queued;
    note_free();
}

/// After each change of `waiting`, `queued` and `stopped`.
void ThreadPoolExecutor::State::note_free() noexcept {
    std::size_t free = stopped || waiting < queued ? 0 : waiting - queued;
    if (free == noted_free) return;
    detail::count_idle_threads(static_cast<int>(free) - static_cast<int>(noted_free));
    noted_free = free;
}

void ThreadPoolExecutor::State::start_thread() {
    std::string name = name_prefix.empty() ? std::string() : worker_name(name_prefix, started);
    Worker& worker = workers.emplace_back();
    references.fetch_add(1, std::memory_order_relaxed);
    try {
        worker.thread = std::thread([this, &worker, name = std::move(name)]() noexcept {
            if (!name.empty()) pthread_setname_np(pthread_self(), name.c_str());
            pool_of_this_thread = this;
            work(worker);
            release();
        });
    } catch (...) {
        workers.pop_back();
        references.fetch_sub(1, std::memory_order_relaxed);
        throw;
    }
    ++started;
}

void ThreadPoolExecutor::State::work(Worker& self) noexcept {
    std::unique_lock lock(mutex);
    while (true) {
        if (first == nullptr) {
            if (stopped) return;
            self.busy = false;
            ++waiting;
            note_free();
            job_or_stop.wait(lock);
            --waiting;
            note_free();
            continue;
        }
        ExecutorJob* job = first;
        unlink(*job);
        self.busy = true;
        lock.unlock();
        job->run();  // may have destroyed the job
        lock.lock();
    }
}

/// None of the threads is here, unless it is one of them that forked; what they have begun is never over. What they
/// have not begun is theirs all the same: nothing is done twice.
void ThreadPoolExecutor::State::after_fork_in_child() noexcept {
    waiting = noted_free = 0;  // nor are they counted
    while (first != nullptr) unlink(*first);
    static_cast<void>(new (&workers) Workers);  // the former is given up: its threads cannot be joined
    static_cast<void>(new (&job_or_stop) std::condition_variable);
    static_cast<void>(new (&joining) std::mutex);
    bool is_one_of_them = pool_of_this_thread == this;
    started = is_one_of_them ? 1 : 0;
    references = is_one_of_them ? 2 : 1;
    mutex.unlock();
}

void ThreadPoolExecutor::State::stop() noexcept {
    std::lock_guard lock(mutex);
    stopped = true;
    note_free();
    job_or_stop.notify_all();
}

void ThreadPoolExecutor::State::join() {
    std::lock_guard one_at_a_time(joining);
    Workers ending;
    {
        std::lock_guard lock(mutex);
        ending.swap(workers);
    }
    for (auto worker = ending.begin(); worker != ending.end();) {
        auto one = worker++;
        if (one->thread.get_id() != std::this_thread::get_id()) {
            one->thread.join();
            continue;
        }
        // Its own executor may die on a worker, in a job's destructor for instance.
        std::lock_guard lock(mutex);
        leave_alone(ending, one);
    }
}

void ThreadPoolExecutor::State::leave_alone(Workers& those, Workers::iterator worker) noexcept {
    worker->thread.detach();
    left_alone.splice(left_alone.end(), those, worker);
}

/// Those that are about a job are left to themselves; the others end at once.
void ThreadPoolExecutor::State::let_go() noexcept {
    std::unique_lock lock(mutex);
    for (ExecutorJob* job = first; job != nullptr; job = job->next_) {
        __atomic_store_n(&job->executor_is_gone_, true, __ATOMIC_RELAXED);
    }
    bool any_may_be_kept = first != nullptr;
    for (auto worker = workers.begin(); worker != workers.end();) {
        auto one = worker++;
        if (one->busy || any_may_be_kept) leave_alone(workers, one);
    }
    lock.unlock();
    job_or_stop.notify_all();
    join();
}

ThreadPoolExecutor::ThreadPoolExecutor(int max_workers, std::string thread_name_prefix) {
    if (max_workers < 0) throw ValueError("max_workers must be greater than 0");
    if (max_workers == 0) max_workers = default_max_workers();
    state_ = new State(static_cast<std::size_t>(max_workers), std::move(thread_name_prefix));
}

ThreadPoolExecutor::~ThreadPoolExecutor() {
    bool was_stopped = false;
    {
        std::lock_guard lock(state_->mutex);
        was_stopped = std::exchange(state_->stopped, true);
        state_->note_free();
        state_->job_or_stop.notify_all();
    }
    was_stopped ? state_->let_go() : state_->join();
    state_->release();
}

void ThreadPoolExecutor::submit(ExecutorJob& job) {
    std::lock_guard lock(state_->mutex);
    if (state_->stopped) throw RuntimeError("cannot schedule new futures after shutdown");
    state_->push(job);
    if (state_->queued <= state_->waiting) return state_->job_or_stop.notify_one();
    if (state_->started == state_->max_workers) return;
    try {
        state_->start_thread();
    } catch (const std::exception&) {
        if (state_->started != 0) return;  // those that there are will come to it
        state_->unlink(job);
        throw RuntimeError("can't start new thread");
    }
}

bool ThreadPoolExecutor::try_cancel(ExecutorJob& job) noexcept {
    std::lock_guard lock(state_->mutex);
    if (!job.queued_) return false;
    state_->unlink(job);
    return true;
}

std::size_t Executor::concurrency() const noexcept { return SIZE_MAX; }
std::size_t ThreadPoolExecutor::concurrency() const noexcept { return state_->max_workers; }

void ThreadPoolExecutor::shutdown(bool wait) {
    state_->stop();
    if (!wait) return;
    if (pool_of_this_thread == state_) throw RuntimeError("cannot join current thread");
    // A thread that never ends may be waited for still when the executor is gone.
    State* state = state_;
    state->references.fetch_add(1, std::memory_order_relaxed);
    state->join();
    state->release();
}

}  // namespace asyncio
