#include "loop/sigint_watch.h"

#include "loop/signal_pipe.h"
#include "os/epoll_backend.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <thread>

namespace asyncio::detail {
namespace {

using Handler = void (*)(int);

Handler sigint_handler() {
    struct sigaction current = {};
    ::sigaction(SIGINT, nullptr, &current);
    return current.sa_handler;
}

TEST(SigintWatch, CountsEachCtrlCAndWakesItsLoop) {
    EpollBackend backend;
    {
        SigintWatch watch(backend);
        EXPECT_TRUE(watch.installed());
        EXPECT_EQ(watch.count(), 0);
        std::vector<IoEvent> events;
        for (int i = 1; i <= 2; ++i) {
            ::raise(SIGINT);
            EXPECT_EQ(watch.count(), i);
            backend.wait(std::nullopt, events);
        }
    }
    EXPECT_EQ(sigint_handler(), SIG_DFL);
}

TEST(SigintWatch, CountsACtrlCThatArrivesOnAnotherThread) {
    EpollBackend backend;
    SigintWatch watch(backend);
    std::thread thread([] { ::raise(SIGINT); });
    std::vector<IoEvent> events;
    while (watch.count() == 0) backend.wait(std::nullopt, events);
    thread.join();
    EXPECT_EQ(watch.count(), 1);
}

TEST(SigintWatch, LeavesAProgramsOwnHandlerAlone) {
    EpollBackend backend;
    Handler own = [](int) {};
    for (Handler found : {own, Handler(SIG_IGN)}) {
        ::signal(SIGINT, found);
        {
            SigintWatch watch(backend);
            EXPECT_FALSE(watch.installed());
            EXPECT_EQ(sigint_handler(), found);
        }
        EXPECT_EQ(sigint_handler(), found);
    }
    ::signal(SIGINT, SIG_DFL);
}

TEST(SigintWatch, LeavesAHandlerAloneThatReplacedItsOwn) {
    EpollBackend backend;
    Handler other = [](int) {};
    {
        SigintWatch watch(backend);
        ::signal(SIGINT, other);
    }
    EXPECT_EQ(sigint_handler(), other);
    ::signal(SIGINT, SIG_DFL);
}

TEST(SigintWatch, OnlyWatchesOnTheMainThread) {
    EpollBackend backend;
    std::thread([&] {
        SigintWatch watch(backend);
        EXPECT_FALSE(watch.installed());
    }).join();
    EXPECT_EQ(sigint_handler(), SIG_DFL);
}

TEST(SigintWatch, OnlyTheOuterOfTwoWatches) {
    EpollBackend backend;
    SigintWatch outer(backend);
    {
        SigintWatch inner(backend);
        EXPECT_FALSE(inner.installed());
    }
    ::raise(SIGINT);
    EXPECT_EQ(outer.count(), 1);
}

TEST(SigintWatch, StepsBackWhileALoopHandlesTheSignal) {
    EpollBackend backend;
    SigintWatch watch(backend);
    SignalPipe pipe;
    pipe.add(SIGINT);
    ::raise(SIGINT);
    EXPECT_EQ(watch.count(), 0);
    pipe.remove(SIGINT);
    ::raise(SIGINT);
    EXPECT_EQ(watch.count(), 1);
}

TEST(SigintWatch, AnyNumberMayComeAsLongAsTheyAreAnswered) {
    EpollBackend backend;
    SigintWatch watch(backend);
    for (int i = 1; i <= 10; ++i) {
        ::raise(SIGINT);
        ::raise(SIGINT);
        watch.acknowledge(watch.count());
    }
    watch.acknowledge(1);  // never goes back
    ::raise(SIGINT);
    EXPECT_EQ(watch.count(), 21);
}

TEST(SigintWatch, TheHandlerPreservesErrno) {
    EpollBackend backend;
    SigintWatch watch(backend);
    errno = EDOM;
    ::raise(SIGINT);
    EXPECT_EQ(errno, EDOM);
}

TEST(SigintWatchDeathTest, TheThirdThatNobodyAnswersEndsTheProcess) {
    auto raise_three = [] {
        EpollBackend backend;
        SigintWatch watch(backend);
        ::raise(SIGINT);
        watch.acknowledge(1);
        ::raise(SIGINT);
        ::raise(SIGINT);
        if (watch.count() != 3) ::_exit(1);
        ::raise(SIGINT);
        ::_exit(2);
    };
    EXPECT_EXIT(raise_three(), testing::KilledBySignal(SIGINT), "");
}

TEST(SigintWatchDeathTest, AHandlerThatOutlivesItsWatchActsAsNone) {
    auto put_back_too_late = [] {
        EpollBackend backend;
        SignalPipe pipe;
        {
            SigintWatch watch(backend);
            pipe.add(SIGINT);
        }
        pipe.remove(SIGINT);
        ::raise(SIGINT);
        ::_exit(2);
    };
    EXPECT_EXIT(put_back_too_late(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace asyncio::detail
