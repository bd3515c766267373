// How a type is called that is local to a coroutine, of which g++ makes a name that no demangler knows.
#include <asyncio/asyncio.h>
#include <asyncio/errors/repr.h>

#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <typeinfo>

namespace {

using asyncio::Coro;
using asyncio::detail::type_text;

Coro<std::string> name_of_local(int, void (*)(int)) {
    struct Local {};
    co_return type_text(typeid(Local));
}
Coro<std::string> name_of_method(int) {
    struct Local {
        void run() {}
    };
    co_return type_text(typeid(&Local::run));
}
template <class T>
Coro<std::string> name_of_error(T) {
    struct Local {};
    try {
        throw Local();
    } catch (...) {
        co_return asyncio::type_name(std::current_exception());
    }
}

TEST(LocalTypeName, OfACoroutineIsReadable) {
    constexpr char place[] = "(anonymous namespace)::";
    EXPECT_EQ(asyncio::run(name_of_local(1, nullptr)), std::string(place) + "name_of_local(int, void (*)(int))::Local");
    EXPECT_EQ(asyncio::run(name_of_method(1)), "void (" + std::string(place) + "name_of_method(int)::Local::*)()");
    std::string name = asyncio::run(name_of_error(1.5));
    EXPECT_NE(name.find("name_of_error<double>(double)::Local"), std::string::npos) << name;
    auto lambda = [](int) -> Coro<std::string> {
        struct Local {};
        co_return type_text(typeid(Local));
    };
    name = asyncio::run(lambda(1));
    EXPECT_TRUE(name.ends_with("::Local") && name.find("Frame") == std::string::npos) << name;
}

}  // namespace
