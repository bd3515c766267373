#include <asyncio/loop/io_operation.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "os/io_backend_support.h"

namespace asyncio::detail {

namespace {

struct LateSend : Send {
    LateSend(const OwnedFd& to, std::string what) : Send(to, std::move(what)) { at_once = false; }
};

Pair new_pair(bool tcp) { return tcp ? tcp_pair() : unix_pair(); }

TEST_P(IoBackendTest, OneThatGoesOnComesBeforeAllThatWait) {
    for (bool tcp : {true, false}) {
        Pair pair = new_pair(tcp);
        LateSend begins(pair.first, "ab");
        LateSend waits(pair.first, "e");
        EXPECT_FALSE(begins.start(backend()));
        EXPECT_FALSE(waits.start(backend()));
        EXPECT_TRUE(names(begins));
        EXPECT_TRUE(begins.finish());
        LateSend goes_on(pair.first, "cd");
        goes_on.goes_on = true;
        EXPECT_FALSE(goes_on.start(backend()));
        EXPECT_FALSE(waits.reported);
        EXPECT_TRUE(names(goes_on));
        EXPECT_TRUE(goes_on.finish());
        EXPECT_TRUE(names(waits));
        EXPECT_TRUE(waits.finish());
        EXPECT_EQ(pair.second.take(), "abcde");
    }
}

TEST_P(IoBackendTest, OneThatGoesOnAtOnceIsTriedThoughOthersWait) {
    for (bool tcp : {true, false}) {
        Pair pair = new_pair(tcp);
        LateSend waits(pair.first, "c");
        EXPECT_FALSE(waits.start(backend()));
        LateSend goes_on(pair.first, "ab");
        goes_on.goes_on = true;
        goes_on.at_once = true;
        EXPECT_TRUE(goes_on.start(backend()));
        EXPECT_TRUE(names(waits));
        EXPECT_TRUE(waits.finish());
        EXPECT_EQ(pair.second.take(), "abc");
    }
}

TEST_P(IoBackendTest, OneThatWentOnAndIsCancelledGivesItsTurnBack) {
    for (bool tcp : {true, false}) {
        for (bool is_named : {false, true}) {
            Pair pair = new_pair(tcp);
            LateSend waits(pair.first, "x");
            EXPECT_FALSE(waits.start(backend()));
            EXPECT_TRUE(names(waits));
            LateSend goes_on(pair.first, "never");
            goes_on.goes_on = true;
            EXPECT_FALSE(goes_on.start(backend()));
            EXPECT_FALSE(waits.reported);
            if (is_named) {
                EXPECT_TRUE(names(goes_on));
            }
            goes_on.stop();
            EXPECT_TRUE(names(waits));
            EXPECT_TRUE(waits.finish());
            EXPECT_EQ(pair.second.take(), "x");
        }
    }
}

}  // namespace
}  // namespace asyncio::detail
