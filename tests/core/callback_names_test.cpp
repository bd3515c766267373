// As what a callback is shown: by the name of its function, as in Python.
#include "support/run_test.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/future.h>

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <string>

namespace {

using namespace asyncio;

void fails() { throw ValueError("no"); }
void fails_with(int) { throw ValueError("no"); }
void is_done(const Future<int>&) { throw ValueError("no"); }
template <class T>
void fails_for() {
    throw ValueError("no");
}

struct Shop {
    void close() { throw ValueError("no"); }
    void open() const { throw ValueError("no"); }
    virtual void sell() { throw ValueError("no"); }
    virtual ~Shop() = default;
};

struct Spy {
    void operator()() const {}
    const Spy& called() const { return *this; }
};

class CallbackNames : public testing::Test {
protected:
    CallbackNames() { reports.listen(loop); }
    /// What the exception handler is told.
    std::string told() {
        loop.stop();
        loop.run_forever();
        return reports.messages.empty() ? "nothing" : reports.messages.back();
    }
    EventLoop loop;
    support::Reports reports;
};

TEST_F(CallbackNames, OfFunctions) {
    Handle handle = loop.call_soon(fails);
    EXPECT_EQ(repr(handle), "<Handle fails()>");
    EXPECT_EQ(told(), "Exception in callback fails()");
    loop.call_soon(&fails_with, 1);
    EXPECT_EQ(told(), "Exception in callback fails_with()");
    loop.call_soon(fails_for<int>);
    EXPECT_EQ(told(), "Exception in callback fails_for<int>()");
    TimerHandle timer = loop.call_at(loop.time() + 100, fails_with, 2);
    EXPECT_TRUE(repr(timer).ends_with(" fails_with()>")) << repr(timer);
    timer.cancel();
    EXPECT_TRUE(repr(timer).starts_with("<TimerHandle cancelled when=")) << repr(timer);
}

TEST_F(CallbackNames, OfCallbacksOfAFuture) {
    Future<int> future = loop.create_future<int>();
    future.add_done_callback(is_done);
    future.set_result(1);
    EXPECT_EQ(told(), "Exception in callback is_done(<Future finished result=1>)");
}

TEST_F(CallbackNames, OfMethodsButNotOfThoseThatAnotherMayTakeThePlaceOf) {
    Shop shop;
    loop.call_soon(&Shop::close, &shop);
    EXPECT_EQ(told(), "Exception in callback Shop::close()");
    loop.call_soon(&Shop::open, &shop);
    EXPECT_EQ(told(), "Exception in callback Shop::open()");
    loop.call_soon(&Shop::sell, &shop);
    EXPECT_EQ(told(), "Exception in callback void ((anonymous namespace)::Shop::*)()()");
}

TEST_F(CallbackNames, AreThoseOfOtherLibrariesToo) {
    auto function = reinterpret_cast<void (*)(void*)>(::dlsym(RTLD_DEFAULT, "free"));
    ASSERT_NE(function, nullptr);
    // Under a sanitizer it has another name.
    std::string text = repr(loop.call_soon(function, nullptr));
    EXPECT_NE(text.find("free"), text.npos) << text;
}

TEST_F(CallbackNames, AskNothingOfTheCallback) {
    EXPECT_EQ(repr(loop.call_soon(Spy())), "<Handle (anonymous namespace)::Spy()>");
}

TEST_F(CallbackNames, AreTypesWhereThereIsNoFunction) {
    alignas(16) static char no_code[16];
    auto function = reinterpret_cast<void (*)()>(no_code);
    Handle handle = loop.call_soon(function);
    EXPECT_EQ(repr(handle), "<Handle void (*)()()>");
    handle.cancel();
    EXPECT_EQ(repr(handle), "<Handle cancelled>");
}

}  // namespace
