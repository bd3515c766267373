#include <gtest/gtest.h>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "net/pipe_support.h"
#include "process/process_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using subprocess::DEVNULL;
using subprocess::PIPE;
using subprocess::Process;
using subprocess::STDOUT;
using support::expect_error;
using support::output_of;
using support::run_net;

namespace {

using ChildOptions = support::ProcessTest;

TEST_F(ChildOptions, ItBeginsInItsFolder) {
    run_net([]() -> Coro<> {
        std::string folder = co_await output_of("pwd", {.cwd = "/usr/share"});
        EXPECT_EQ(folder, "/usr/share\n");
    });
}

TEST_F(ChildOptions, AProgramIsFoundByThePathThatItIsGiven) {
    run_net([]() -> Coro<> {
        std::map<std::string, std::string> nowhere{{"PATH", "/nowhere"}};
        co_await expect_error<FileNotFoundError>(create_subprocess_exec("true", {}, {.env = nowhere}));
        std::map<std::string, std::string> none;
        Process child = co_await create_subprocess_exec("env", {}, {.stdout = PIPE, .env = none});
        auto [out, err] = co_await child.communicate();
        EXPECT_EQ(out, "");
    });
}

TEST_F(ChildOptions, TheProgramMayHaveAnotherNameThanTheFirstArgument) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("my name", {"-c", "printf %s \"$0\""},
                                                        {.stdout = PIPE, .executable = "/bin/sh"});
        auto [out, err] = co_await child.communicate();
        EXPECT_EQ(out, "my name");
        std::string shell = co_await output_of("printf %s \"$0\"", {.executable = "/bin/bash"});
        EXPECT_EQ(shell, "/bin/bash");
    });
}

TEST_F(ChildOptions, ArgumentsAreStringsOfAnyKind) {
    run_net([]() -> Coro<> {
        std::vector<std::string> all{"%s,", "a b", "", "\"c\"", "ö"};
        Process child = co_await create_subprocess_exec("printf", all, {.stdout = PIPE});
        auto [out, err] = co_await child.communicate();
        EXPECT_EQ(out, "a b,,\"c\",ö,");
        std::filesystem::path folder = "/usr/share";
        Arguments arguments{"-c", std::string_view("%F"), folder};
        Process stat = co_await create_subprocess_exec("stat", arguments, {.stdout = PIPE});
        auto type = co_await stat.communicate();
        EXPECT_EQ(type.stdout, "directory\n");
        EXPECT_THROW(Arguments(std::string("a\0b", 3)), ValueError);
    });
}

TEST_F(ChildOptions, ASessionOrAGroupOfItsOwn) {
    run_net([]() -> Coro<> {
        Process leader = co_await create_subprocess_exec("sleep", {"3600"}, {.start_new_session = true});
        EXPECT_EQ(::getsid(leader.pid()), leader.pid());
        Process group = co_await create_subprocess_exec("sleep", {"3600"}, {.process_group = 0});
        EXPECT_EQ(::getpgid(group.pid()), group.pid());
        Process member = co_await create_subprocess_exec("sleep", {"3600"}, {.process_group = group.pid()});
        EXPECT_EQ(::getpgid(member.pid()), group.pid());
        co_await expect_error<PermissionError>(create_subprocess_exec("true", {}, {.process_group = leader.pid()}));
        ::kill(-group.pid(), SIGKILL);
        leader.kill();
        co_await leader.wait();
        co_await group.wait();
        co_await member.wait();
    });
}

/// The descriptors of a program that lists them, without that of the list.
Coro<std::string> open_descriptors(SubprocessOptions options) {
    options.stdout = PIPE;
    Process ls = co_await create_subprocess_exec("ls", {"/proc/self/fd"}, options);
    subprocess::Output output = co_await ls.communicate();
    std::string text;
    for (char c : output.stdout) text += c == '\n' ? ' ' : c;
    co_return text;
}

TEST_F(ChildOptions, ItHasTheDescriptorsThatItIsGivenAndNoOthers) {
    run_net([]() -> Coro<> {
        int open = ::open("/dev/null", O_RDWR);  // as a library that does not know better opens it
        int passed = ::fcntl(open, F_DUPFD_CLOEXEC, 40);
        std::string few = co_await open_descriptors({});
        EXPECT_EQ(few, "0 1 2 3 ");
        SubprocessOptions passing{.pass_fds = {&passed, 1}};
        std::string with = co_await open_descriptors(passing);
        EXPECT_EQ(with, "0 1 2 3 " + std::to_string(passed) + " ");
        std::string all = co_await open_descriptors({.close_fds = false});
        EXPECT_NE((" " + all).find(" " + std::to_string(open) + " "), std::string::npos);
        EXPECT_EQ((" " + all).find(" " + std::to_string(passed) + " "), std::string::npos);
        ::close(passed);
        ::close(open);
        co_await expect_error<OSError>(open_descriptors(passing));
        int negative = -1;
        SubprocessOptions wrong{.pass_fds = {&negative, 1}};
        co_await expect_error<ValueError>(open_descriptors(wrong));
    });
}

TEST_F(ChildOptions, StreamsMayBeAnyDescriptorsInAnyOrder) {
    run_net([]() -> Coro<> {
        support::PipeEnds one(0);
        support::PipeEnds other(0);
        Process child = co_await create_subprocess_shell("echo out; echo err >&2",
                                                         {.stdout = other.writer(), .stderr = one.writer()});
        co_await child.wait();
        EXPECT_EQ(other.read(), "out\n");
        EXPECT_EQ(one.read(), "err\n");
        Process merged = co_await create_subprocess_shell("echo out; echo err >&2", {.stdout = PIPE, .stderr = STDOUT});
        EXPECT_FALSE(merged.stderr());
        auto [out, err] = co_await merged.communicate();
        EXPECT_EQ(out, "out\nerr\n");
        Process swapped = co_await create_subprocess_shell("true", {.stdout = 2, .stderr = 1});
        int code = co_await swapped.wait();
        EXPECT_EQ(code, 0);
        co_await expect_error<ValueError>(create_subprocess_shell("true", {.stdout = STDOUT}));
        co_await expect_error<ValueError>(create_subprocess_shell("true", {.stdout = -1}));
    });
}

TEST_F(ChildOptions, ASocketCanBeAStream) {
    run_net([]() -> Coro<> {
        auto [ours, its] = socketpair();
        Process cat = co_await create_subprocess_exec("cat", {}, {.stdin = its, .stdout = its});
        its.close();
        co_await sock_sendall(ours, "x");
        std::string data = co_await sock_recv(ours, 10);
        EXPECT_EQ(data, "x");
        ours.close();
        int code = co_await cat.wait();
        EXPECT_EQ(code, 0);
    });
}

TEST_F(ChildOptions, TheUmask) {
    run_net([]() -> Coro<> {
        std::string mask = co_await output_of("umask", {.umask = 027});
        EXPECT_EQ(mask, "0027\n");
    });
}

TEST_F(ChildOptions, UserAndGroups) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may become somebody else";
    run_net([]() -> Coro<> {
        const unsigned more[] = {7, 1001};
        SubprocessOptions options{.user = "nobody", .group = "nogroup", .extra_groups = more};
        std::string who = co_await output_of("id -un; id -gn; id -G", options);
        EXPECT_EQ(who, "nobody\nnogroup\n65534 7 1001\n");
        std::string by_number = co_await output_of("id -u; id -g", {.user = 1234, .group = 5678});
        EXPECT_EQ(by_number, "1234\n5678\n");
        EXPECT_EQ(::geteuid(), 0U);
        co_await expect_error<OSError>(create_subprocess_exec("/root/x", {}, {.user = "nobody"}));
        co_await expect_error<LookupError>(create_subprocess_exec("true", {}, {.user = "no such user"}));
        co_await expect_error<LookupError>(create_subprocess_exec("true", {}, {.group = "no such group"}));
        co_await expect_error<ValueError>(create_subprocess_exec("true", {}, {.user = -1}));
        co_await expect_error<ValueError>(create_subprocess_exec("true", {}, {.user = 4294967295}));
    });
}

TEST_F(ChildOptions, ThePipesSize) {
    run_net([]() -> Coro<> {
        Process child = co_await create_subprocess_exec("sleep", {"3600"}, {.stdin = PIPE, .pipesize = 4096});
        child.stdin().write(std::string(5000, 'x'));
        EXPECT_EQ(child.stdin().get_write_buffer_size(), 904U);
        child.kill();
        co_await child.wait();
        co_await expect_error<OSError>(create_subprocess_exec("true", {}, {.stdin = PIPE, .pipesize = 2'000'000'000}));
    });
}

/// `SigIgn` and the like of a child's /proc/self/status.
Coro<unsigned long> signals_of_child(std::string which, SubprocessOptions options = {}) {
    options.stdout = PIPE;
    Process grep = co_await create_subprocess_exec("grep", {which, "/proc/self/status"}, options);
    subprocess::Output output = co_await grep.communicate();
    co_return std::stoul(output.stdout.substr(output.stdout.find('\t')), nullptr, 16);
}

unsigned long bit(int signum) { return 1UL << (signum - 1); }

TEST_F(ChildOptions, SignalsAreAsTheProgramHadThem) {
    auto former_pipe = std::signal(SIGPIPE, SIG_IGN);
    auto former_hup = std::signal(SIGHUP, SIG_IGN);
    auto former_usr1 = std::signal(SIGUSR1, [](int) {});
    run_net([]() -> Coro<> {
        unsigned long ignored = co_await signals_of_child("SigIgn");
        EXPECT_EQ(ignored & (bit(SIGPIPE) | bit(SIGHUP) | bit(SIGUSR1)), bit(SIGHUP));
        unsigned long as_here = co_await signals_of_child("SigIgn", {.restore_signals = false});
        EXPECT_EQ(as_here & (bit(SIGPIPE) | bit(SIGHUP)), bit(SIGPIPE) | bit(SIGHUP));
        // What the library has taken is given to the child as it was.
        get_running_loop().add_signal_handler(SIGHUP, [] {});
        get_running_loop().add_signal_handler(SIGTERM, [] {});
        unsigned long taken = co_await signals_of_child("SigIgn");
        EXPECT_EQ(taken & (bit(SIGHUP) | bit(SIGTERM)), bit(SIGHUP));
        unsigned long caught = co_await signals_of_child("SigCgt");
        EXPECT_EQ(caught & (bit(SIGHUP) | bit(SIGTERM)), 0U);
        get_running_loop().remove_signal_handler(SIGHUP);
        get_running_loop().remove_signal_handler(SIGTERM);
    });
    std::signal(SIGPIPE, former_pipe);
    std::signal(SIGHUP, former_hup);
    std::signal(SIGUSR1, former_usr1);
}

TEST_F(ChildOptions, NoSignalIsBlockedInTheChildOfAnyThread) {
    run_net([]() -> Coro<> {
        unsigned long blocked = co_await signals_of_child("SigBlk");
        EXPECT_EQ(blocked, 0U);
        blocked = co_await to_thread([] {
            return run([]() -> Coro<unsigned long> {
                unsigned long its = co_await signals_of_child("SigBlk");
                co_return its;
            }());
        });
        EXPECT_EQ(blocked, 0U);
    });
}

TEST_F(ChildOptions, AMaskOfTheProgramsOwnIsInherited) {
    sigset_t set;
    sigset_t former;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    ::pthread_sigmask(SIG_BLOCK, &set, &former);
    run_net([]() -> Coro<> {
        unsigned long blocked = co_await signals_of_child("SigBlk");
        EXPECT_EQ(blocked, bit(SIGUSR2));
    });
    ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

}  // namespace
