// What a thread keeps is not there any more where the destructors of what outlives it ask.
#include "detail/kept_by_thread.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

using asyncio::detail::KeptByThread;

namespace {

using Bytes = std::unique_ptr<char[]>;

template <class T>
struct AsksAtTheEnd {
    ~AsksAtTheEnd() {
        if (answer != nullptr) *answer = KeptByThread<T>::get_or_null();
    }
    T** answer = nullptr;
};

template <class T>
void expect_null_at_the_end(T value) {
    T* answer = &value;
    std::thread([&] {
        static thread_local AsksAtTheEnd<T> asks;  // made first, and so destroyed last
        asks.answer = &answer;
        T* kept = KeptByThread<T>::get_or_null();
        ASSERT_NE(kept, nullptr);
        EXPECT_EQ(kept, KeptByThread<T>::get_or_null());
        *kept = std::move(value);
    }).join();
    EXPECT_EQ(answer, nullptr);
}

TEST(KeptByThread, IsNullAtTheThreadsEnd) {
    expect_null_at_the_end(std::string(100, 'x'));
    expect_null_at_the_end(Bytes(new char[100]));
}

TEST(KeptByThread, IsEachThreadsOwn) {
    *KeptByThread<std::string>::get_or_null() = "here";
    std::thread([] { EXPECT_EQ(*KeptByThread<std::string>::get_or_null(), ""); }).join();
    EXPECT_EQ(*KeptByThread<std::string>::get_or_null(), "here");
}

}  // namespace
