#include <asyncio/errors/exceptions.h>

#include <asyncio/errors/builtin_errors.h>
#include <asyncio/errors/exception_group.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <string>
#include <thread>
#include <type_traits>

namespace {

using namespace asyncio;

template <class Error>
std::exception_ptr pointer_to(Error error) {
    return std::make_exception_ptr(std::move(error));
}

static_assert(!std::is_base_of_v<std::exception, CancelledError>);
static_assert(!std::is_base_of_v<std::exception, KeyboardInterrupt>);
static_assert(!std::is_base_of_v<std::exception, SystemExit>);
static_assert(std::is_base_of_v<std::exception, TimeoutError>);
static_assert(std::is_nothrow_copy_constructible_v<CancelledError>);
static_assert(std::is_nothrow_copy_constructible_v<OSError>);
static_assert(sizeof(CancelledError) == 2 * sizeof(void*));

TEST(BaseException, PassesHandlersOfStdException) {
    auto thrown = [] {
        try {
            throw CancelledError("stop");
        } catch (const std::exception&) {
            return false;
        } catch (const BaseException& error) {
            return std::string_view(error.what()) == "stop";
        }
    };
    EXPECT_TRUE(thrown());
}

TEST(CancelledError, HasNoMessageUnlessCancelWasGivenOne) {
    EXPECT_FALSE(CancelledError().message());
    EXPECT_STREQ(CancelledError().what(), "");
    EXPECT_EQ(CancelledError("").message(), "");
    EXPECT_EQ(CancelledError("enough").message(), "enough");
    EXPECT_STREQ(CancelledError("enough").what(), "enough");
    EXPECT_FALSE(CancelledError(detail::Ref<detail::CancelRequest>()).message());
}

TEST(CancelledError, KnowsWhoCancelledAndWhere) {
    auto here = std::source_location::current();
    CancelledError error(detail::make_cancel_request(std::nullopt, "Task-7", here));
    CancelledError copy = error;
    EXPECT_FALSE(copy.message());
    EXPECT_EQ(copy.requested_by(), "Task-7");
    EXPECT_EQ(copy.requested_at().line(), here.line());
    EXPECT_EQ(CancelledError().requested_by(), "");
    EXPECT_EQ(CancelledError().requested_at().line(), 0U);
}

TEST(CancelledErrorThread, IsSharedBetweenThreads) {
    CancelledError error(detail::make_cancel_request("stop", "Task-1", std::source_location()));
    auto copy_often = [error] {
        for (int i = 0; i < 1000; ++i) {
            CancelledError copy = error;
            EXPECT_EQ(copy.message(), "stop");
        }
    };
    std::thread other(copy_often);
    copy_often();
    other.join();
}

// Python: str(OSError(2, 'No such file or directory', 'x')), repr(...), and so on
TEST(OSError, SpeaksAsPythonDoes) {
    OSError error(ENOENT, "No such file or directory", "x");
    EXPECT_STREQ(error.what(), "[Errno 2] No such file or directory: 'x'");
    EXPECT_EQ(error.strerror(), "No such file or directory");
    EXPECT_EQ(error.errno_value(), ENOENT);
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_STREQ(OSError(2, "No", "it's").what(), "[Errno 2] No: \"it's\"");
    EXPECT_STREQ(OSError(2, "x").what(), "[Errno 2] x");
    EXPECT_STREQ(OSError(ENOENT).what(), "[Errno 2] No such file or directory");
    EXPECT_STREQ(OSError("plain").what(), "plain");
    EXPECT_EQ(OSError("plain").errno_value(), 0);
    EXPECT_EQ(repr(pointer_to(error)), "OSError(2, 'No such file or directory')");
    EXPECT_EQ(repr(pointer_to(OSError("plain"))), "OSError('plain')");
    EXPECT_EQ(repr(pointer_to(OSError())), "OSError()");
}

TEST(TimeoutError, IsEmptyUnlessToldOtherwiseAndHoldsACause) {
    EXPECT_STREQ(TimeoutError().what(), "");
    EXPECT_EQ(repr(pointer_to(TimeoutError())), "TimeoutError()");
    EXPECT_EQ(TimeoutError().cause(), nullptr);
    TimeoutError error("late", pointer_to(CancelledError()));
    EXPECT_EQ(repr(pointer_to(error)), "TimeoutError('late')");
    EXPECT_TRUE(detail::is_cancelled_error(error.cause()));
}

TEST(ExceptionRepr, IsPythons) {
    EXPECT_EQ(repr(nullptr), "None");
    EXPECT_EQ(repr(pointer_to(ValueError("boom"))), "ValueError('boom')");
    EXPECT_EQ(repr(pointer_to(ValueError("it's"))), "ValueError(\"it's\")");
    EXPECT_EQ(repr(pointer_to(RuntimeError())), "RuntimeError()");
    EXPECT_EQ(repr(pointer_to(NotImplementedError())), "NotImplementedError()");
    EXPECT_EQ(repr(pointer_to(CancelledError())), "CancelledError()");
    EXPECT_EQ(repr(pointer_to(CancelledError(""))), "CancelledError('')");
    EXPECT_EQ(repr(pointer_to(CancelledError("msg"))), "CancelledError('msg')");
    EXPECT_EQ(repr(pointer_to(KeyboardInterrupt())), "KeyboardInterrupt()");
    EXPECT_EQ(repr(pointer_to(SystemExit())), "SystemExit()");
    EXPECT_EQ(repr(pointer_to(SystemExit(3))), "SystemExit(3)");
}

/// That all three texts of an error are those of a pointer to it, and these.
template <class Root = void, class Error>
void expect_texts(const Error& error, const std::string& expected_repr, const std::string& expected_str) {
    const std::conditional_t<std::is_void_v<Root>, Error, Root>& caught = error;
    EXPECT_EQ(repr(caught), expected_repr);
    EXPECT_EQ(repr(pointer_to(error)), expected_repr);
    EXPECT_EQ(str(caught), expected_str);
    EXPECT_EQ(str(pointer_to(error)), expected_str);
    EXPECT_EQ(type_name(caught), expected_repr.substr(0, expected_repr.find('(')));
    EXPECT_EQ(type_name(pointer_to(error)), type_name(caught));
}

// Python: repr(e), str(e), type(e).__name__ of e in `except Exception as e`
TEST(ExceptionRepr, OfWhatIsCaughtIsThatOfAPointerToIt) {
    expect_texts(ValueError("boom"), "ValueError('boom')", "boom");
    expect_texts(ValueError(""), "ValueError('')", "");
    expect_texts(ValueError(), "ValueError()", "");
    expect_texts<std::exception>(RuntimeError("x"), "RuntimeError('x')", "x");
    expect_texts<RuntimeError>(NotImplementedError(), "NotImplementedError()", "");
    expect_texts<std::exception>(OSError(2, "No", "f"), "OSError(2, 'No')", "[Errno 2] No: 'f'");
    expect_texts<OSError>(TimeoutError("late"), "TimeoutError('late')", "late");
    expect_texts<std::exception>(KeyError("k"), "KeyError('k')", "'k'");
    expect_texts(CancelledError("msg"), "CancelledError('msg')", "msg");
    expect_texts<BaseException>(CancelledError(), "CancelledError()", "");
    expect_texts<BaseException>(SystemExit(3), "SystemExit(3)", "3");
    expect_texts(std::logic_error("x"), "std::logic_error('x')", "x");
    expect_texts<std::exception>(std::bad_alloc(), "std::bad_alloc()", "");

    ExceptionGroup group("two", {pointer_to(ValueError("a")), pointer_to(OSError(5, "b"))});
    std::string text = "ExceptionGroup('two', [ValueError('a'), OSError(5, 'b')])";
    expect_texts(group, text, "two (2 sub-exceptions)");
    expect_texts<BaseExceptionGroup>(group, text, "two (2 sub-exceptions)");
    expect_texts<std::exception>(group, text, "two (2 sub-exceptions)");
}

struct Unrelated {};
class OwnError : public std::exception {};

TEST(ExceptionRepr, NamesTypesThatAreNoneOfOurs) {
    EXPECT_EQ(repr(pointer_to(std::logic_error("x"))), "std::logic_error('x')");
    EXPECT_EQ(repr(pointer_to(std::bad_alloc())), "std::bad_alloc()");
    EXPECT_EQ(repr(pointer_to(42)), "int()");
    EXPECT_EQ(repr(pointer_to(Unrelated())), "Unrelated()");
    EXPECT_EQ(type_name(pointer_to(OwnError())), "OwnError");
    EXPECT_EQ(type_name(OwnError()), "OwnError");
    EXPECT_EQ(type_name(nullptr), "NoneType");
}

TEST(ExceptionStr, IsTheMessageAlone) {
    EXPECT_EQ(str(pointer_to(ValueError("boom"))), "boom");
    EXPECT_EQ(str(pointer_to(CancelledError("msg"))), "msg");
    EXPECT_EQ(str(pointer_to(SystemExit(3))), "3");
    EXPECT_EQ(str(pointer_to(SystemExit())), "");
    EXPECT_EQ(str(pointer_to(42)), "");
    EXPECT_EQ(str(pointer_to(OSError(2, "No", "f"))), "[Errno 2] No: 'f'");
}

// Each expectation is what CPython 3.14 prints for repr() of the same string
TEST(Quoted, IsPythonsReprOfAString) {
    using detail::quoted;
    EXPECT_EQ(quoted(""), "''");
    EXPECT_EQ(quoted("a'b"), "\"a'b\"");
    EXPECT_EQ(quoted("a'b\"c"), "'a\\'b\"c'");
    EXPECT_EQ(quoted("a\"b"), "'a\"b'");
    EXPECT_EQ(quoted("n\nt\tr\r\\"), "'n\\nt\\tr\\r\\\\'");
    EXPECT_EQ(quoted(std::string_view("\0\x1b\x7f", 3)), "'\\x00\\x1b\\x7f'");
    EXPECT_EQ(quoted("\u00e9\u20ac\U0001f600\u0085\u00a0\u200b"), "'\u00e9\u20ac\U0001f600\\x85\\xa0\\u200b'");
    EXPECT_EQ(quoted("\u2028\ufeff\U000e0001\u00ad"), "'\\u2028\\ufeff\\U000e0001\\xad'");
    EXPECT_EQ(quoted("\xff"), "'\\udcff'");
    EXPECT_EQ(quoted("\xe2\x82"), "'\\udce2\\udc82'");
    EXPECT_EQ(quoted("\xc0\x80\xed\xa0\x80"), "'\\udcc0\\udc80\\udced\\udca0\\udc80'");
}

TEST(ExceptionKind, IsToldWithoutThrowing) {
    EXPECT_TRUE(detail::is_cancelled_error(pointer_to(CancelledError())));
    EXPECT_FALSE(detail::is_cancelled_error(pointer_to(ValueError())));
    EXPECT_FALSE(detail::is_cancelled_error(pointer_to(42)));
    EXPECT_FALSE(detail::is_cancelled_error(nullptr));
    EXPECT_TRUE(detail::is_keyboard_interrupt_or_system_exit(pointer_to(KeyboardInterrupt())));
    EXPECT_TRUE(detail::is_keyboard_interrupt_or_system_exit(pointer_to(SystemExit(1))));
    EXPECT_FALSE(detail::is_keyboard_interrupt_or_system_exit(pointer_to(CancelledError())));
    EXPECT_FALSE(detail::is_keyboard_interrupt_or_system_exit(nullptr));
    EXPECT_TRUE(detail::is_base_exception(pointer_to(CancelledError())));
    EXPECT_FALSE(detail::is_base_exception(pointer_to(ValueError())));
    EXPECT_FALSE(detail::is_base_exception(pointer_to(42)));
}

TEST(ExceptionKind, OfTheCurrentExceptionIsKnownInsideAHandler) {
    EXPECT_FALSE(detail::current_exception_is_cancelled());
    try {
        throw CancelledError();
    } catch (...) {
        EXPECT_TRUE(detail::current_exception_is_cancelled());
        EXPECT_FALSE(detail::current_exception_is_keyboard_interrupt_or_system_exit());
    }
    try {
        throw SystemExit(1);
    } catch (...) {
        EXPECT_FALSE(detail::current_exception_is_cancelled());
        EXPECT_TRUE(detail::current_exception_is_keyboard_interrupt_or_system_exit());
    }
}

TEST(ExceptionCast, FindsWhatACatchWouldTake) {
    auto error = pointer_to(TimeoutError("late"));
    ASSERT_NE(exception_cast<TimeoutError>(error), nullptr);
    EXPECT_STREQ(exception_cast<OSError>(error)->what(), "late");
    EXPECT_STREQ(exception_cast<std::exception>(error)->what(), "late");
    EXPECT_EQ(exception_cast<ValueError>(error), nullptr);
    EXPECT_EQ(exception_cast<BaseException>(error), nullptr);
    EXPECT_EQ(*exception_cast<int>(pointer_to(42)), 42);
    EXPECT_EQ(exception_cast<OSError>(nullptr), nullptr);
    EXPECT_EQ(exception_cast<OSError>(pointer_to(42)), nullptr);
}

}  // namespace
