#include "loop/choose_backend.h"

#include <asyncio/core/event_loop.h>
#include <gtest/gtest.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>

namespace asyncio::detail {
namespace {

/// Sets ASYNCIO_IO_BACKEND for the time of a test.
class Environment {
public:
    explicit Environment(const char* value) {
        if (const char* former = std::getenv(name)) former_ = former;
        set(value);
    }
    ~Environment() { set(former_ ? former_->c_str() : nullptr); }

private:
    static void set(const char* value) {
        if (value != nullptr) {
            ::setenv(name, value, 1);
        } else {
            ::unsetenv(name);
        }
    }
    static constexpr const char* name = "ASYNCIO_IO_BACKEND";
    std::optional<std::string> former_;
};

std::string chosen(IoBackendKind kind = IoBackendKind::automatic) { return std::string(make_io_backend(kind)->name()); }

bool there_is_io_uring() { return chosen(IoBackendKind::io_uring) == "io_uring"; }

TEST(ChooseBackend, EpollIsTheDefault) {
    Environment none(nullptr);
    EXPECT_EQ(chosen(), "epoll");
    EventLoop loop;
    EXPECT_EQ(loop.io_backend().name(), "epoll");
}

TEST(ChooseBackend, TheEnvironmentChoosesForLoopsThatDoNot) {
    if (!there_is_io_uring()) GTEST_SKIP() << "there is no io_uring here";
    Environment uring("io_uring");
    EXPECT_EQ(chosen(), "io_uring");
    EXPECT_EQ(chosen(IoBackendKind::epoll), "epoll");
    EventLoop loop;
    EXPECT_EQ(loop.io_backend().name(), "io_uring");
    EventLoop other({.io_backend = IoBackendKind::epoll});
    EXPECT_EQ(other.io_backend().name(), "epoll");
    Environment epoll("epoll");
    EXPECT_EQ(chosen(), "epoll");
    Environment nonsense("kqueue");
    EXPECT_EQ(chosen(), "epoll");
}

TEST(ChooseBackend, AnOptionChoosesOrBringsOneOfYours) {
    std::unique_ptr<IoBackend> mine = make_io_backend(IoBackendKind::epoll);
    EventLoop loop({.io_backend = *mine});
    EXPECT_EQ(&loop.io_backend(), mine.get());
    if (there_is_io_uring()) {
        EventLoop other({.io_backend = IoBackendKind::io_uring});
        EXPECT_EQ(other.io_backend().name(), "io_uring");
    }
}

/// From now on the process gets `error` for each io_uring_setup(), as in many a container.
void forbid_io_uring(int error) {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{sizeof filter / sizeof filter[0], filter};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(3);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(4);
}

TEST(ChooseBackendDeathTest, WhereIoUringIsForbiddenEpollTakesItsPlaceSilently) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    for (int error : {ENOSYS, EPERM}) {
        EXPECT_EXIT(
            {
                forbid_io_uring(error);
                ::_exit(chosen(IoBackendKind::io_uring) == "epoll" ? 0 : 1);
            },
            testing::ExitedWithCode(0), "^$");
    }
}

}  // namespace
}  // namespace asyncio::detail
