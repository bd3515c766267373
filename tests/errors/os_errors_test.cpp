#include <asyncio/errors/os_errors.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "support/run_test.h"

using namespace asyncio;
using support::outcome;

namespace {

std::string thrown_for(int error) {
    return outcome([&] { throw_os_error(error, "x"); });
}

TEST(OsErrors, AnErrnoBecomesTheClassThatPythonMakesOfIt) {
    EXPECT_EQ(thrown_for(EPIPE), "BrokenPipeError(32, 'x')");
    EXPECT_EQ(thrown_for(ESHUTDOWN), "BrokenPipeError(108, 'x')");
    EXPECT_EQ(thrown_for(ECONNABORTED), "ConnectionAbortedError(103, 'x')");
    EXPECT_EQ(thrown_for(ECONNREFUSED), "ConnectionRefusedError(111, 'x')");
    EXPECT_EQ(thrown_for(ECONNRESET), "ConnectionResetError(104, 'x')");
    EXPECT_EQ(thrown_for(EAGAIN), "BlockingIOError(11, 'x')");
    EXPECT_EQ(thrown_for(EALREADY), "BlockingIOError(114, 'x')");
    EXPECT_EQ(thrown_for(EINPROGRESS), "BlockingIOError(115, 'x')");
    EXPECT_EQ(thrown_for(ECHILD), "ChildProcessError(10, 'x')");
    EXPECT_EQ(thrown_for(EEXIST), "FileExistsError(17, 'x')");
    EXPECT_EQ(thrown_for(ENOENT), "FileNotFoundError(2, 'x')");
    EXPECT_EQ(thrown_for(EINTR), "InterruptedError(4, 'x')");
    EXPECT_EQ(thrown_for(EISDIR), "IsADirectoryError(21, 'x')");
    EXPECT_EQ(thrown_for(ENOTDIR), "NotADirectoryError(20, 'x')");
    EXPECT_EQ(thrown_for(EACCES), "PermissionError(13, 'x')");
    EXPECT_EQ(thrown_for(EPERM), "PermissionError(1, 'x')");
    EXPECT_EQ(thrown_for(ESRCH), "ProcessLookupError(3, 'x')");
    EXPECT_EQ(thrown_for(ETIMEDOUT), "TimeoutError(110, 'x')");
    EXPECT_EQ(thrown_for(EBADF), "OSError(9, 'x')");
}

TEST(OsErrors, AConnectionThatFailsIsCaughtAsAConnectionError) {
    for (int error : {EPIPE, ECONNABORTED, ECONNREFUSED, ECONNRESET}) {
        EXPECT_THROW(throw_os_error(error), ConnectionError);
    }
    EXPECT_THROW(throw_os_error(ENOENT), OSError);
}

TEST(OsErrors, TheTextIsTheSystemsOwnUnlessOneIsGivenAndMayNameAFile) {
    try {
        throw_os_error(ENOENT, {}, "/x/y");
    } catch (const FileNotFoundError& error) {
        EXPECT_STREQ(error.what(), "[Errno 2] No such file or directory: '/x/y'");
        EXPECT_EQ(error.strerror(), "No such file or directory");
        EXPECT_EQ(error.errno_value(), ENOENT);
    }
    try {
        throw_os_error(ETIMEDOUT);
    } catch (const TimeoutError& error) {
        EXPECT_STREQ(error.what(), "[Errno 110] Connection timed out");
        EXPECT_FALSE(error.cause());
    }
}

}  // namespace
