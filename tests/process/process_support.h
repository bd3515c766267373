#pragma once

#include <asyncio/asyncio.h>
#include <asyncio/subprocess.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <cerrno>
#include <string>
#include <utility>

#include "net/net_support.h"

namespace support {

/// Whether this process has children, or zombies of them.
inline bool has_children() {
    siginfo_t info;
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/// Fails the test that leaves a child, a zombie or a descriptor behind.
class ProcessTest : public NetTest {
protected:
    void TearDown() override {
        EXPECT_FALSE(has_children()) << "a child was left";
        NetTest::TearDown();
    }
};

/// What is awaited throws this.
template <class Error, class T>
asyncio::Coro<> expect_error(asyncio::Coro<T> failing) {
    try {
        co_await std::move(failing);
        ADD_FAILURE() << "it did not fail";
    } catch (const Error&) {
    }
}

/// What the command prints.
inline asyncio::Coro<std::string> output_of(std::string command, asyncio::SubprocessOptions options = {}) {
    options.stdout = asyncio::subprocess::PIPE;
    asyncio::subprocess::Process child = co_await asyncio::create_subprocess_shell(command, options);
    asyncio::subprocess::Output output = co_await child.communicate();
    EXPECT_EQ(child.returncode(), 0) << command;
    co_return output.stdout;
}

}  // namespace support
