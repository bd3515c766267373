#include <asyncio/errors/builtin_errors.h>

#include <asyncio/errors/os_errors.h>

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace {

using namespace asyncio;

template <class Error>
std::string shown(Error error) {
    return repr(std::make_exception_ptr(std::move(error)));
}
template <class Error>
std::string said(Error error) {
    return str(std::make_exception_ptr(std::move(error)));
}

// The expected texts are CPython 3.14's.
TEST(BuiltinErrors, HavePythonsBases) {
    static_assert(std::is_base_of_v<LookupError, IndexError> && std::is_base_of_v<LookupError, KeyError>);
    static_assert(std::is_base_of_v<ArithmeticError, ZeroDivisionError>);
    static_assert(std::is_base_of_v<ArithmeticError, OverflowError>);
    static_assert(std::is_base_of_v<RuntimeError, NotImplementedError>);
    static_assert(std::is_base_of_v<std::exception, ArithmeticError> && std::is_base_of_v<std::exception, LookupError>);
    static_assert(std::is_base_of_v<ValueError, UnicodeError> && std::is_base_of_v<UnicodeError, UnicodeDecodeError>);
    static_assert(std::is_base_of_v<std::exception, AssertionError> &&
                  std::is_base_of_v<std::exception, AttributeError>);
    static_assert(std::is_nothrow_copy_constructible_v<UnicodeDecodeError>);
    EXPECT_THROW(throw KeyError("k"), LookupError);
    EXPECT_THROW(throw IndexError("list index out of range"), LookupError);
    EXPECT_THROW(throw ZeroDivisionError("division by zero"), ArithmeticError);
}

TEST(BuiltinErrors, AKeyErrorShowsItsKeyInQuotes) {
    EXPECT_EQ(shown(KeyError("k")), "KeyError('k')");
    EXPECT_EQ(said(KeyError("k")), "'k'");
    EXPECT_STREQ(KeyError("it's").what(), "\"it's\"");
    EXPECT_EQ(shown(KeyError("")), "KeyError('')");
    EXPECT_EQ(said(KeyError("")), "''");
    EXPECT_EQ(shown(KeyError()), "KeyError()");
    EXPECT_EQ(said(KeyError()), "");
}

TEST(BuiltinErrors, AUnicodeDecodeErrorTellsOfItsBytes) {
    UnicodeDecodeError one("utf-8", "ab\xff", 2, 3, "invalid start byte");
    EXPECT_EQ(shown(one), "UnicodeDecodeError('utf-8', b'ab\\xff', 2, 3, 'invalid start byte')");
    EXPECT_EQ(said(one), "'utf-8' codec can't decode byte 0xff in position 2: invalid start byte");
    EXPECT_EQ(said(UnicodeDecodeError("utf-8", "abc", 0, 2, "because")),
              "'utf-8' codec can't decode bytes in position 0-1: because");
    EXPECT_EQ(said(UnicodeDecodeError("utf-8", "abc", 3, 4, "because")),
              "'utf-8' codec can't decode bytes in position 3-3: because");
    EXPECT_EQ(shown(UnicodeDecodeError("ascii", "it's", 0, 1, "b")),
              "UnicodeDecodeError('ascii', b\"it's\", 0, 1, 'b')");
    UnicodeDecodeError moved = std::move(one);
    one = moved;
    EXPECT_EQ(one.encoding() + one.reason(), "utf-8invalid start byte");
    EXPECT_EQ(one.object().substr(one.start(), one.end() - one.start()), "\xff");
}

TEST(BuiltinErrors, AnEmptyMessageIsNotTheSameAsNone) {
    EXPECT_EQ(shown(ValueError("")), "ValueError('')");
    EXPECT_EQ(shown(ValueError()), "ValueError()");
    EXPECT_EQ(shown(RuntimeError(std::string())), "RuntimeError('')");
    EXPECT_EQ(shown(NotImplementedError()), "NotImplementedError()");
    EXPECT_EQ(shown(NotImplementedError("")), "NotImplementedError('')");
    EXPECT_EQ(shown(TypeError("")), "TypeError('')");
    EXPECT_EQ(shown(LookupError()), "LookupError()");
    EXPECT_EQ(shown(IndexError("")), "IndexError('')");
    EXPECT_EQ(shown(ZeroDivisionError()), "ZeroDivisionError()");
    EXPECT_EQ(shown(AssertionError()), "AssertionError()");
    EXPECT_EQ(shown(AssertionError("")), "AssertionError('')");
    EXPECT_EQ(shown(AttributeError("no x")), "AttributeError('no x')");
    EXPECT_EQ(shown(UnicodeError("")), "UnicodeError('')");
    EXPECT_EQ(shown(OSError("")), "OSError('')");
    EXPECT_EQ(shown(OSError()), "OSError()");
    EXPECT_EQ(shown(TimeoutError()), "TimeoutError()");
    EXPECT_EQ(shown(TimeoutError("")), "TimeoutError('')");
    EXPECT_EQ(shown(ConnectionResetError("")), "ConnectionResetError('')");
    EXPECT_EQ(said(ValueError("")), "");
}

TEST(BuiltinErrors, AKeyboardInterruptMayHaveAMessage) {
    EXPECT_EQ(shown(KeyboardInterrupt()), "KeyboardInterrupt()");
    EXPECT_EQ(shown(KeyboardInterrupt("stop")), "KeyboardInterrupt('stop')");
    EXPECT_EQ(said(KeyboardInterrupt("stop")), "stop");
    KeyboardInterrupt interrupt("stop");
    KeyboardInterrupt copy = interrupt;
    EXPECT_STREQ(copy.what(), "stop");
}

TEST(BuiltinErrors, TheClassOfAnErrorHasAName) {
    EXPECT_EQ(type_name(std::make_exception_ptr(KeyError("k"))), "KeyError");
    EXPECT_EQ(type_name(std::make_exception_ptr(std::logic_error("k"))), "std::logic_error");
    EXPECT_EQ(type_name(nullptr), "NoneType");
}

TEST(BuiltinErrors, CanBeLookedAtWithoutBeingThrown) {
    std::exception_ptr error = std::make_exception_ptr(KeyError("k"));
    ASSERT_NE(exception_cast<LookupError>(error), nullptr);
    EXPECT_STREQ(exception_cast<LookupError>(error)->what(), "'k'");
    EXPECT_EQ(exception_cast<IndexError>(error), nullptr);
    EXPECT_EQ(exception_cast<KeyError>(nullptr), nullptr);
}

}  // namespace
