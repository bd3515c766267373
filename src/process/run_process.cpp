#include <asyncio/process/run_process.h>

#include "core/wait_story.h"
#include "process/child_input.h"
#include "process/end_children.h"
#include "process/start_child.h"

#include <asyncio/core/task.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/errors/repr.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/wait_for.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace detail {
namespace {

using subprocess::Output;
using subprocess::Process;

/// What a run is asked for, kept.
struct Run {
    std::vector<ChildCommand> commands;
    std::vector<KeptSettings> settings;
    RunProcessOptions options;
    std::exception_ptr error;
};

std::string words_of(const Arguments& arguments) {
    std::string text;
    arguments.for_each([&](const char* word) { text += (text.empty() ? "" : ", ") + repr_of_string(word); });
    return "[" + text + "]";
}

std::string text_of(const std::vector<ChildCommand>& commands) {
    std::string text;
    for (const ChildCommand& command : commands) text += (text.empty() ? "" : " | ") + words_of(command.arguments);
    return text;
}

// What goes in and out.

Coro<> collect(StreamReader reader, std::shared_ptr<Output> output, std::string Output::*to) {
    for (;;) {
        std::string part = co_await reader.read(65536);
        if (part.empty()) break;
        ((*output).*to).append(part);
    }
}

/// All that goes on with the children, to their ends.
Coro<> attend(std::vector<Process> children, std::optional<BytesLike> input, std::shared_ptr<Output> output) {
    std::vector<Task<>> all;
    if (children.front().stdin() && input) all.push_back(create_task(feed(children.front().stdin(), *input)));
    for (const Process& child : children) {
        if (child.stdout()) all.push_back(create_task(collect(child.stdout(), output, &Output::stdout)));
        if (child.stderr()) all.push_back(create_task(collect(child.stderr(), output, &Output::stderr)));
    }
    co_await gather(all);
    for (const Process& child : children) co_await child.wait();
}

/// The wait for that, which a cancellation ends, and not what it waits for.
class AttendWaiter : public FutureWaiter {
protected:
    AttendWaiter(Ref<FutureBase> attending, const std::vector<Process>* children) noexcept
        : FutureWaiter(std::move(attending)), children_(*children) {
        auto runs = [](const Process& child) { return !child.returncode(); };
        auto found = std::find_if(children_.begin(), children_.end(), runs);
        const Process& child = found == children_.end() ? children_.front() : *found;
        child_ = &state_of(child.transport());
        set_edge(WaitKind::process, &child_);
        set_fd(child.pid());
    }
    ~AttendWaiter() = default;

public:
    bool cancel(const Ref<CancelRequest>& request) override { return !is_done() && Waiter::cancel(request); }
    TaskBase* awaited_task() const noexcept override { return nullptr; }
    void tell(WaitStory& story) const override {
        story.awaits(&future());
        if (!story.with_text) return;
        std::string pids;
        for (const Process& child : children_) {
            if (!child.returncode()) pids += (pids.empty() ? "" : ", ") + std::to_string(child.pid());
        }
        bool are_several = pids.find(',') != pids.npos;
        story.text = pids.empty()  ? "<end of the output of processes>"
                     : are_several ? "<end of processes " + pids + ">"
                                   : "<end of process " + pids + ">";
    }

private:
    const std::vector<Process>& children_;
    const SubprocessState* child_;  // the first that runs
};
using Attendance = WaiterCall<DroppingFutureAwaiter<AttendWaiter>, Ref<FutureBase>, const std::vector<Process>*>;

// The beginning.

/// Both ends of a pipe between two commands.
struct Link {
    OwnedDescriptor reader{-1};
    OwnedDescriptor writer{-1};
};

Link make_link() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_os_error(errno);
    return Link{OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1])};
}

SubprocessOptions options_of(const RunProcessOptions& run, std::size_t index, std::size_t count) {
    SubprocessOptions options = run.process;
    if (run.input && index == 0) options.stdin = subprocess::PIPE;
    if (run.capture && index + 1 == count) options.stdout = subprocess::PIPE;
    bool is_with_output = options.stderr.kind() == subprocess::Stream::Kind::standard_output;
    if (run.capture && !is_with_output) options.stderr = subprocess::PIPE;
    if (run.kill_group && !options.start_new_session) options.process_group = 0;
    return options;
}

void check(const RunProcessOptions& options) {
    using Kind = subprocess::Stream::Kind;
    if (options.input && options.process.stdin.kind() != Kind::by_default) {
        throw ValueError("stdin and input arguments may not both be used.");
    }
    bool is_given =
        options.process.stdout.kind() != Kind::by_default ||
        (options.process.stderr.kind() != Kind::by_default && options.process.stderr.kind() != Kind::standard_output);
    if (options.capture && is_given) throw ValueError("stdout and stderr arguments may not be used with capture.");
    if (options.kill_group && options.process.process_group) {
        throw ValueError("process_group may not be used with kill_group.");
    }
}

Coro<CompletedProcess> run_to_the_end(Run run) {
    if (run.error) std::rethrow_exception(run.error);
    std::vector<Process> children;
    std::exception_ptr error;
    auto output = std::make_shared<Output>();
    Task<> attending;
    bool timed_out = false;
    try {
        OwnedDescriptor from(-1);
        std::size_t count = run.commands.size();
        children.reserve(count);  // or one could run that is not known here
        for (std::size_t i = 0; i < count; ++i) {
            Link link;
            if (i + 1 < count) link = make_link();
            ChildSettings& settings = run.settings[i].get();
            if (from.get() >= 0) settings.set_stream(0, from.get());
            if (link.writer.get() >= 0) settings.set_stream(1, link.writer.get());
            Process child = co_await start_process(std::move(run.settings[i]), run.options.process.limit);
            children.push_back(std::move(child));
            from = std::move(link.reader);
        }
        attending = create_task(attend(children, run.options.input, output));
        Attendance attendance(Ref<FutureBase>(attending.state_or_null()), &children);
        co_await wait_for(attendance, run.options.timeout);
    } catch (const TimeoutError&) {
        timed_out = attending && !attending.done();  // otherwise it is an error of the system
        error = std::current_exception();
    } catch (...) {
        error = std::current_exception();
    }
    if (error) {
        try {
            co_await end_children(children, attending, run.options);
        } catch (...) {  // no memory to be polite
        }
        for (Process& child : children) {  // not by end_of(): there may be no memory for its frame
            Ref<SubprocessState> state(&state_of(child.transport()));
            state->close();
            while (!state->returncode()) {
                try {
                    co_await child.wait();
                } catch (const CancelledError&) {
                }
            }
        }
    }
    if (run.options.output != nullptr) *run.options.output = *output;
    if (timed_out) {
        throw subprocess::TimeoutExpired(run.options.timeout->count(), text_of(run.commands), std::move(*output));
    }
    if (error) std::rethrow_exception(error);

    CompletedProcess completed;
    for (std::size_t i = 0; i < children.size(); ++i) {
        int code = children[i].returncode().value_or(0);
        completed.returncodes.push_back(code);
        bool nobody_read_on = code == -SIGPIPE && i + 1 < children.size();
        if (code != 0 && !nobody_read_on) completed.returncode = code;
    }
    if (run.options.check && completed.returncode != 0) {
        throw subprocess::CalledProcessError(completed.returncode, text_of(run.commands), std::move(*output));
    }
    completed.stdout = std::move(output->stdout);
    completed.stderr = std::move(output->stderr);
    co_return completed;
}

Coro<CompletedProcess> run_kept(std::vector<ChildCommand> commands, const RunProcessOptions& options) {
    Run run;
    run.options = options;
    try {
        check(options);
        if (commands.empty()) throw ValueError("a pipeline needs a command");
        for (std::size_t i = 0; i < commands.size(); ++i) {
            if (commands[i].arguments.empty()) throw ValueError("a command needs a program");
            run.settings.emplace_back(commands[i], options_of(options, i, commands.size()),
                                      ChildSettings::Streams::inherited);
            if (options.kill_group) run.settings.back().get().end_group_with_child();
        }
    } catch (...) {
        run.error = std::current_exception();
    }
    run.commands = std::move(commands);
    return run_to_the_end(std::move(run));
}

}  // namespace
}  // namespace detail

Coro<CompletedProcess> run_process(Pipeline commands, RunProcessOptions options) {
    std::vector<detail::ChildCommand> all;
    for (const Command& command : commands.commands()) all.emplace_back(command, false);
    return detail::run_kept(std::move(all), options);
}

Coro<CompletedProcess> run_shell(std::string_view cmd, RunProcessOptions options) {
    std::vector<detail::ChildCommand> all;
    all.push_back(detail::shell_command(cmd));
    return detail::run_kept(std::move(all), options);
}

}  // namespace asyncio
