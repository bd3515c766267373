#include "process/child_settings.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

extern "C" char** environ;

namespace asyncio::detail {
namespace {

constexpr const char* default_path = "/bin:/usr/bin";  // Python: os.defpath

void check_text(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) throw ValueError("embedded null byte");
}

/// The number of a user or group, as `setreuid()` takes it: all bits set would mean "as it is".
unsigned account_number(std::int64_t number, const char* what) {
    if (number < 0) throw ValueError(std::string(what) + " cannot be negative, got " + std::to_string(number));
    if (number >= std::numeric_limits<unsigned>::max()) throw ValueError(std::string("invalid ") + what);
    return static_cast<unsigned>(number);
}

template <class Record, class Look>
Record account_record(const std::string& name, const char* function, std::vector<char>& memory, Look look) {
    memory.resize(1024);
    for (;;) {
        Record record;
        Record* found = nullptr;
        int error = look(name.c_str(), &record, memory.data(), memory.size(), &found);
        if (error == ERANGE) {
            memory.resize(memory.size() * 2);
        } else if (found != nullptr) {
            return record;
        } else {
            throw LookupError(std::string(function) + "(): name not found: '" + name + "'");
        }
    }
}

uid_t user_number(const subprocess::Account& user) {
    if (user.is_number()) return account_number(user.number(), "user");
    std::vector<char> memory;
    return account_record<passwd>(std::string(user.name()), "getpwnam", memory, ::getpwnam_r).pw_uid;
}

gid_t group_number(const subprocess::Account& group) {
    if (group.is_number()) return account_number(group.number(), "group");
    std::vector<char> memory;
    return account_record<::group>(std::string(group.name()), "getgrnam", memory, ::getgrnam_r).gr_gid;
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> all;
    all.reserve(texts.size() + 1);
    for (const std::string& text : texts) all.push_back(text.c_str());
    all.push_back(nullptr);
    return all;
}

void let_block(int fd) {
    int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) throw_os_error(errno);
}

OwnedDescriptor open_null() {
    OwnedDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (null.get() < 0) throw_os_error(errno, {}, "/dev/null");
    return null;
}

}  // namespace

ChildCommand program_with(std::string_view program, const Arguments& arguments) {
    Arguments all(program);
    all.append(arguments);
    return ChildCommand(std::move(all), false);
}

ChildCommand checked_command(const Command& command) {
    if (command.empty()) throw ValueError("a command needs a program");
    return ChildCommand(command, false);
}

ChildCommand shell_command(std::string_view command) { return ChildCommand(Arguments("/bin/sh", "-c", command), true); }

ChildSettings::ChildSettings(ChildCommand command, const SubprocessOptions& options, Streams by_default)
    : command_(std::move(command)), pipe_size_(options.pipesize) {
    using Kind = subprocess::Stream::Kind;
    streams_[0] = options.stdin;
    streams_[1] = options.stdout;
    streams_[2] = options.stderr;
    for (int i = 0; i < 3; ++i) {
        if (streams_[i].kind() == Kind::by_default) {
            streams_[i] = by_default == Streams::pipes ? subprocess::PIPE : subprocess::Stream(nullptr);
        }
        if (streams_[i].kind() == Kind::standard_output && i != 2) {
            throw ValueError("STDOUT can only be used for stderr");
        }
        bool is_descriptor = streams_[i].kind() == Kind::descriptor || streams_[i].kind() == Kind::socket;
        if (is_descriptor && streams_[i].descriptor() < 0) {
            throw ValueError("Invalid file descriptor: " + std::to_string(streams_[i].descriptor()));
        }
    }
    command_.arguments.for_each([this](const char* word) { arguments_.push_back(word); });
    program_ = arguments_.front();
    if (options.executable) {
        check_text(*options.executable);
        program_ = *options.executable;
        if (command_.is_for_shell) arguments_.front() = program_.c_str();
    }
    arguments_.push_back(nullptr);
    if (options.cwd) {
        check_text(*options.cwd);
        directory_.emplace(*options.cwd);
    }
    keep_environment(options.env);
    keep_programs(program_);
    keep_descriptors(options);
    keep_accounts(options);
    plan_.restore_signals = options.restore_signals;
    plan_.start_new_session = options.start_new_session;
    if (options.process_group) {
        if (*options.process_group < 0) throw ValueError("process_group cannot be negative");
        plan_.process_group = *options.process_group;
    }
    if (options.umask) plan_.umask = static_cast<mode_t>(*options.umask);
}

void ChildSettings::keep_environment(const subprocess::Environment& environment) {
    if (!environment.has_value()) return;
    struct Keeper final : subprocess::Environment::Sink {
        void take(std::string_view name, std::string_view value) override {
            check_text(name);
            check_text(value);
            if (name.find('=') != std::string_view::npos) throw ValueError("illegal environment variable name");
            all.push_back(std::string(name) + "=" + std::string(value));
        }
        std::vector<std::string> all;
    } keeper;
    environment.visit(keeper);
    environment_ = std::move(keeper.all);
}

/// Null if there is none.
const char* ChildSettings::variable(std::string_view name) const noexcept {
    auto value_in = [&](const char* line) -> const char* {
        std::string_view text(line);
        bool is_it = text.size() > name.size() && text.substr(0, name.size()) == name && text[name.size()] == '=';
        return is_it ? line + name.size() + 1 : nullptr;
    };
    if (environment_) {
        for (const std::string& line : *environment_) {
            if (const char* value = value_in(line.c_str())) return value;
        }
    } else {
        for (char** line = environ; line != nullptr && *line != nullptr; ++line) {
            if (const char* value = value_in(*line)) return value;
        }
    }
    return nullptr;
}

/// Python: os.get_exec_path().
void ChildSettings::keep_programs(std::string_view program) {
    if (program.find('/') != std::string_view::npos) {
        programs_.emplace_back(program);
        return;
    }
    const char* path = variable("PATH");
    std::string_view folders = path != nullptr ? path : default_path;
    for (;;) {
        std::size_t size = std::min(folders.find(':'), folders.size());
        std::string one(folders.substr(0, size));
        if (!one.empty() && one.back() != '/') one += '/';
        programs_.push_back(one + std::string(program));
        if (size == folders.size()) break;
        folders.remove_prefix(size + 1);
    }
}

void ChildSettings::keep_descriptors(const SubprocessOptions& options) {
    passed_.assign(options.pass_fds.begin(), options.pass_fds.end());
    std::sort(passed_.begin(), passed_.end());
    passed_.erase(std::unique(passed_.begin(), passed_.end()), passed_.end());
    if (!passed_.empty() && passed_.front() < 0) throw ValueError("bad value(s) in fds_to_keep");
    plan_.close_others = options.close_fds || !passed_.empty();
}

void ChildSettings::keep_accounts(const SubprocessOptions& options) {
    if (options.user.has_value()) plan_.user = user_number(options.user);
    if (options.group.has_value()) plan_.group = group_number(options.group);
    if (options.extra_groups) {
        for (unsigned group : *options.extra_groups) extra_groups_.push_back(account_number(group, "group"));
        plan_.extra_groups.emplace();
    }
}

ChildSettings::Started ChildSettings::start() const {
    using Kind = subprocess::Stream::Kind;
    ChildPlan plan = plan_;
    OwnedDescriptor ours[3] = {OwnedDescriptor(-1), OwnedDescriptor(-1), OwnedDescriptor(-1)};
    OwnedDescriptor its[3] = {OwnedDescriptor(-1), OwnedDescriptor(-1), OwnedDescriptor(-1)};
    for (int i = 0; i < 3; ++i) {
        switch (streams_[i].kind()) {
            case Kind::pipe: {
                int ends[2];
                if (::pipe2(ends, O_CLOEXEC) != 0) throw_os_error(errno);
                bool is_input = i == 0;
                ours[i] = OwnedDescriptor(ends[is_input ? 1 : 0]);
                its[i] = OwnedDescriptor(ends[is_input ? 0 : 1]);
                if (pipe_size_ && *pipe_size_ > 0 && ::fcntl(ends[1], F_SETPIPE_SZ, *pipe_size_) < 0) {
                    throw_os_error(errno);
                }
                break;
            }
            case Kind::devnull:
                its[i] = open_null();
                break;
            case Kind::socket:
                let_block(streams_[i].descriptor());
                plan.streams[i] = streams_[i].descriptor();
                break;
            case Kind::descriptor:
                plan.streams[i] = streams_[i].descriptor();
                break;
            case Kind::standard_output:
                plan.streams[i] = plan.streams[1] >= 0 ? plan.streams[1] : STDOUT_FILENO;
                break;
            case Kind::by_default:
            case Kind::parent_s:
                break;
        }
        if (its[i].get() >= 0) plan.streams[i] = its[i].get();
    }
    std::vector<const char*> programs = pointers(programs_);
    std::vector<const char*> environment = environment_ ? pointers(*environment_) : std::vector<const char*>();
    plan.arguments = arguments_.data();
    plan.programs = programs.data();
    plan.environment = environment_ ? environment.data() : environ;
    plan.directory = directory_ ? directory_->c_str() : nullptr;
    plan.passed = passed_;
    if (plan.extra_groups) plan.extra_groups = extra_groups_;

    ChildFailure failure;
    std::optional<ChildProcess> child = ChildProcess::start(plan, failure);
    if (!child) throw_failure(failure);
    if (ends_group_) child->end_group_with_it();
    return Started{std::move(*child), {std::move(ours[0]), std::move(ours[1]), std::move(ours[2])}};
}

void ChildSettings::throw_failure(const ChildFailure& failure) const {
    switch (failure.step) {
        case ChildFailure::Step::directory:
            throw_os_error(failure.error, {}, *directory_);
        case ChildFailure::Step::program:
            throw_os_error(failure.error, {}, program_);
        case ChildFailure::Step::none:
        case ChildFailure::Step::preparing:
            break;
    }
    throw_os_error(failure.error);
}

}  // namespace asyncio::detail
