#pragma once

#include <asyncio/asyncio.h>

#include "text.h"

#include <functional>
#include <string>
#include <vector>

namespace conformance {

constexpr asyncio::Seconds tick = asyncio::Seconds(1.0 / 512);
extern asyncio::ContextVar<int> x_var;
extern asyncio::ContextVar<int> y_var;
extern asyncio::ContextVar<int> z_var;  // without a default

/// The trace of a run: what is logged, and the loop that it runs in.
///
/// A line says in which pass of the loop, at which moment and in which task something happened, and what.
class Trace {
public:
    using Main = std::function<asyncio::Coro<int>()>;

    /// Runs coroutine functions in turn in one Runner. What is lost is known when nothing of them is left.
    void run(const std::vector<Main>& mains);
    /// The trace, when nothing is left of what was run.
    std::vector<std::string> lines();

    template <class... Words>
    void log(const Words&... words) {
        std::string line;
        ((line += " " + text(words)), ...);
        write(line);
    }
    /// Its name; the tasks without one are counted from the first that is named in the trace.
    std::string name_of(const asyncio::AnyTask& task);
    asyncio::EventLoop& loop() const noexcept { return *loop_; }
    void set_handler_mode(int mode) noexcept { handler_mode_ = mode; }
    /// From now on a task that is told to be in a deadlock may make no step.
    static void watch_deadlocks() noexcept { watches_deadlocks_ = true; }

private:
    static constexpr std::size_t most_lines = 600;
    static constexpr int watchdog_first = 100000;
    static constexpr int watchdog_next = 5000;
    static constexpr int watchdog_most = 25;

    static void on_log(asyncio::LogLevel level, std::string_view message);
    void write(const std::string& line);
    void watchdog();
    void on_report(const asyncio::ExceptionContext& context);

    static inline bool watches_deadlocks_ = false;
    asyncio::EventLoop* loop_ = nullptr;
    std::vector<std::string> lines_;
    std::vector<std::string> lost_;  // what was reported of futures and tasks that nobody looked at again
    bool over_ = false;
    int first_name_ = -1;
    int shots_ = 0;
    int handler_mode_ = 0;
};

}  // namespace conformance
