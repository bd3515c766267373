#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "faults/programs.h"

namespace {

using faults::Kind;
using faults::Program;

class WhateverFails : public testing::TestWithParam<Program> {
protected:
    static std::vector<std::string> backends() { return {"epoll", "io_uring"}; }
    static void expect_no_failure(Kind kind, bool all_that_follow) {
        for (const std::string& backend : backends()) {
            std::string failures = faults::sweep(GetParam(), backend, kind, all_that_follow);
            EXPECT_TRUE(failures.empty()) << "on " << backend << ":\n" << failures;
        }
    }
};

TEST_P(WhateverFails, AnAllocationFailsOnce) { expect_no_failure(Kind::allocation, false); }
TEST_P(WhateverFails, AllocationsFailFromOneOn) { expect_no_failure(Kind::allocation, true); }
TEST_P(WhateverFails, AnAllocationOfAWorkerFailsOnce) { expect_no_failure(Kind::thread_allocation, false); }
TEST_P(WhateverFails, AllocationsOfWorkersFailFromOneOn) { expect_no_failure(Kind::thread_allocation, true); }
TEST_P(WhateverFails, ASystemCallFailsOnce) { expect_no_failure(Kind::system_call, false); }
TEST_P(WhateverFails, SystemCallsFailFromOneOn) { expect_no_failure(Kind::system_call, true); }
TEST_P(WhateverFails, ASystemCallFailsOnceInAnotherWay) { expect_no_failure(Kind::system_call_again, false); }
TEST_P(WhateverFails, SystemCallsFailInAnotherWayFromOneOn) { expect_no_failure(Kind::system_call_again, true); }
TEST_P(WhateverFails, ASystemCallIsInterrupted) { expect_no_failure(Kind::interruption, false); }
TEST_P(WhateverFails, ACallOfTheBackendFailsOnce) { expect_no_failure(Kind::backend_call, false); }
TEST_P(WhateverFails, AWaitFailsOnce) { expect_no_failure(Kind::waiting, false); }

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WhateverFails);  // by TLS, where it is missing

class WhateverIsRefused : public testing::TestWithParam<Program> {};

TEST_P(WhateverIsRefused, TheKernelTakesNoMoreRequests) {
    std::string failures = faults::sweep(GetParam(), "io_uring", Kind::refusal, true);
    EXPECT_TRUE(failures.empty()) << failures;
}

std::string name_of(const testing::TestParamInfo<Program>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Core, WhateverFails, testing::ValuesIn(faults::core_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Tasks, WhateverFails, testing::ValuesIn(faults::task_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Sockets, WhateverFails, testing::ValuesIn(faults::socket_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Streams, WhateverFails, testing::ValuesIn(faults::stream_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Pipes, WhateverFails, testing::ValuesIn(faults::pipe_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Datagrams, WhateverFails, testing::ValuesIn(faults::datagram_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Processes, WhateverFails, testing::ValuesIn(faults::process_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Tls, WhateverFails, testing::ValuesIn(faults::tls_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Sync, WhateverFails, testing::ValuesIn(faults::sync_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Sockets, WhateverIsRefused, testing::ValuesIn(faults::socket_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Streams, WhateverIsRefused, testing::ValuesIn(faults::stream_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(Pipes, WhateverIsRefused, testing::ValuesIn(faults::pipe_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(RealTime, WhateverIsRefused, testing::ValuesIn(faults::thread_programs()), name_of);
INSTANTIATE_TEST_SUITE_P(RealTime, WhateverFails, testing::ValuesIn(faults::thread_programs()), name_of);

}  // namespace
