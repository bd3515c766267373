#pragma once

#include "process/child_process.h"

#include <asyncio/net/pipes.h>
#include <asyncio/process/options.h>
#include <asyncio/process/subprocess_protocol.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::detail {

/// What a child is started with: the options of a call and its command, kept and checked. CPython: subprocess.Popen.
class ChildSettings {
public:
    /// What a stream is that the options do not name.
    enum class Streams : bool { inherited, pipes };

    /// Throws ValueError, or LookupError for an account that there is not.
    ChildSettings(ChildCommand command, const SubprocessOptions& options, Streams by_default);
    ChildSettings(const ChildSettings&) = delete;
    ChildSettings& operator=(const ChildSettings&) = delete;

    /// In the place of what the options say.
    void set_stream(int number, subprocess::Stream stream) noexcept { streams_[number] = stream; }
    /// What is left of the child's group when it ends is killed.
    void end_group_with_child() noexcept { ends_group_ = true; }
    /// Our ends of the pipes, by the number that they have in the child.
    struct Started {
        ChildProcess child;
        OwnedDescriptor ends[3];
    };
    /// Throws OSError.
    Started start() const;

private:
    void keep_environment(const subprocess::Environment& environment);
    void keep_programs(std::string_view program);
    void keep_descriptors(const SubprocessOptions& options);
    void keep_accounts(const SubprocessOptions& options);
    const char* variable(std::string_view name) const noexcept;
    [[noreturn]] void throw_failure(const ChildFailure& failure) const;

    std::vector<const char*> arguments_;  // null at the end, into `command_`
    ChildCommand command_;
    std::string program_;
    std::optional<std::vector<std::string>> environment_;
    std::vector<std::string> programs_;
    std::optional<std::string> directory_;
    subprocess::Stream streams_[3];
    std::vector<int> passed_;
    std::vector<gid_t> extra_groups_;
    std::optional<int> pipe_size_;
    bool ends_group_ = false;
    ChildPlan plan_;  // what of it is no pointer
};

}  // namespace asyncio::detail
