#include <asyncio/errors/exception_group.h>

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace {

using namespace asyncio;

template <class Error>
std::exception_ptr pointer_to(Error error) {
    return std::make_exception_ptr(std::move(error));
}

template <class... Error>
std::exception_ptr group_of(std::string message, Error... errors) {
    return make_exception_group(std::move(message), {std::move(errors)...});
}

// BaseExceptionGroup('top', [ValueError('a'), ExceptionGroup('in', [TypeError('t'),
// ValueError('b')]), CancelledError('c')])
BaseExceptionGroup example() {
    return BaseExceptionGroup(
        "top", {pointer_to(ValueError("a")), group_of("in", pointer_to(TypeError("t")), pointer_to(ValueError("b"))),
                pointer_to(CancelledError("c"))});
}

template <class Function>
std::string outcome(Function function) {
    try {
        function();
    } catch (...) {
        return repr(std::current_exception());
    }
    return "nothing";
}

TEST(ExceptionGroup, RefusesAnEmptyListAndBaseExceptions) {
    EXPECT_EQ(outcome([] { throw ExceptionGroup("x", {}); }),
              "ValueError('second argument (exceptions) must be a non-empty sequence')");
    EXPECT_EQ(outcome([] { make_exception_group("x", {}); }),
              "ValueError('second argument (exceptions) must be a non-empty sequence')");
    EXPECT_EQ(outcome([] { throw ExceptionGroup("x", {pointer_to(KeyboardInterrupt())}); }),
              "TypeError('Cannot nest BaseExceptions in an ExceptionGroup')");
    EXPECT_EQ(outcome([] {
                  throw BaseExceptionGroup("x", {pointer_to(ValueError()), nullptr});
              }),
              "ValueError('Item 1 of second argument (exceptions) is not an exception')");
}

TEST(ExceptionGroup, IsAStdExceptionAndABaseExceptionGroupIsNot) {
    auto plain = group_of("m", pointer_to(ValueError("a")), pointer_to(42));
    auto base = group_of("m", pointer_to(ValueError("a")), pointer_to(CancelledError()));
    EXPECT_NE(exception_cast<ExceptionGroup>(plain), nullptr);
    EXPECT_NE(exception_cast<std::exception>(plain), nullptr);
    EXPECT_NE(exception_cast<BaseExceptionGroup>(plain), nullptr);
    EXPECT_EQ(exception_cast<std::exception>(base), nullptr);
    EXPECT_NE(exception_cast<BaseExceptionGroup>(base), nullptr);
    EXPECT_FALSE(detail::is_base_exception(plain));
    EXPECT_TRUE(detail::is_base_exception(base));
    EXPECT_EQ(repr(plain), "ExceptionGroup('m', [ValueError('a'), int()])");
    EXPECT_EQ(repr(base), "BaseExceptionGroup('m', [ValueError('a'), CancelledError()])");
    try {
        std::rethrow_exception(plain);
    } catch (const std::exception& error) {
        EXPECT_EQ(std::string_view(error.what()), "m (2 sub-exceptions)\n  ValueError: a\n  int");
    }
}

TEST(ExceptionGroup, TellsMessageAndExceptions) {
    auto error = pointer_to(ValueError("a"));
    ExceptionGroup group("m", {error});
    ExceptionGroup copy = group;
    EXPECT_EQ(copy.message(), "m");
    ASSERT_EQ(copy.exceptions().size(), 1U);
    EXPECT_EQ(copy.exceptions()[0], error);
    EXPECT_EQ(&copy.exceptions(), &group.exceptions());
    EXPECT_EQ(str(pointer_to(group)), "m (1 sub-exception)");
    EXPECT_EQ(repr(pointer_to(ExceptionGroup("it's", {pointer_to(ValueError("it's"))}))),
              "ExceptionGroup(\"it's\", [ValueError(\"it's\")])");
}

TEST(ExceptionGroup, WhatShowsTheTree) {
    EXPECT_EQ(std::string_view(example().what()),
              "top (3 sub-exceptions)\n"
              "  ValueError: a\n"
              "  ExceptionGroup: in (2 sub-exceptions)\n"
              "    TypeError: t\n"
              "    ValueError: b\n"
              "  CancelledError: c");
    ExceptionGroup two_lines("m", {pointer_to(ValueError("one\ntwo"))});
    EXPECT_EQ(std::string_view(two_lines.what()), "m (1 sub-exception)\n  ValueError: one\n  two");
}

TEST(ExceptionGroupThread, WhatMayBeAskedByManyThreadsAtOnce) {
    BaseExceptionGroup group = example();
    const char* here = nullptr;
    const char* there = nullptr;
    std::thread other([&, copy = group] { there = copy.what(); });
    here = group.what();
    other.join();
    EXPECT_EQ(here, there);
}

// Each expectation is what CPython 3.14 prints for the same split
TEST(ExceptionGroupSplit, KeepsShapeAndMessages) {
    auto by_value = example().split<ValueError>();
    EXPECT_EQ(repr(by_value.matched),
              "ExceptionGroup('top', [ValueError('a'), ExceptionGroup('in', [ValueError('b')])])");
    EXPECT_EQ(repr(by_value.rest),
              "BaseExceptionGroup('top', [ExceptionGroup('in', [TypeError('t')]), CancelledError('c')])");

    auto by_cancel = example().split<CancelledError>();
    EXPECT_EQ(repr(by_cancel.matched), "BaseExceptionGroup('top', [CancelledError('c')])");
    EXPECT_EQ(repr(by_cancel.rest),
              "ExceptionGroup('top', [ValueError('a'), ExceptionGroup('in', [TypeError('t'), "
              "ValueError('b')])])");

    auto by_two = example().split<ValueError, TypeError>();
    EXPECT_EQ(repr(by_two.matched),
              "ExceptionGroup('top', [ValueError('a'), ExceptionGroup('in', [TypeError('t'), "
              "ValueError('b')])])");
    EXPECT_EQ(repr(by_two.rest), "BaseExceptionGroup('top', [CancelledError('c')])");
}

TEST(ExceptionGroupSplit, TakesAGroupOfTheTypeWhole) {
    auto split = example().split<ExceptionGroup>();
    EXPECT_EQ(repr(split.matched), "ExceptionGroup('top', [ExceptionGroup('in', [TypeError('t'), ValueError('b')])])");
    EXPECT_EQ(repr(split.rest), "BaseExceptionGroup('top', [ValueError('a'), CancelledError('c')])");
    auto all = example().split<BaseException>();
    EXPECT_EQ(repr(all.matched), repr(pointer_to(example())));
    EXPECT_EQ(all.rest, nullptr);
    auto ordinary = example().split<std::exception>();
    EXPECT_EQ(repr(ordinary.rest), "BaseExceptionGroup('top', [CancelledError('c')])");
}

TEST(ExceptionGroupSplit, GivesNullForAnEmptyHalf) {
    EXPECT_EQ(example().subgroup<OSError>(), nullptr);
    auto all = example().split([](const std::exception_ptr&) { return true; });
    EXPECT_EQ(all.rest, nullptr);
    ASSERT_NE(exception_cast<BaseExceptionGroup>(all.matched), nullptr);
}

TEST(ExceptionGroupSplit, AsksThePredicateAboutGroupsFirst) {
    std::vector<std::string> asked;
    auto split = example().split([&](const std::exception_ptr& error) {
        asked.push_back(type_name(error));
        return false;
    });
    EXPECT_EQ(split.matched, nullptr);
    EXPECT_EQ(asked, (std::vector<std::string>{"BaseExceptionGroup", "ValueError", "ExceptionGroup", "TypeError",
                                               "ValueError", "CancelledError"}));
}

TEST(ExceptionGroupSplit, KeepsTheVeryExceptions) {
    auto error = pointer_to(ValueError("a"));
    ExceptionGroup group("m", {error, pointer_to(TypeError("t"))});
    auto matched = group.subgroup<ValueError>();
    EXPECT_EQ(exception_cast<BaseExceptionGroup>(matched)->exceptions()[0], error);
    auto by_identity = group.subgroup([&](const std::exception_ptr& candidate) { return candidate == error; });
    EXPECT_EQ(repr(by_identity), "ExceptionGroup('m', [ValueError('a')])");
}

// Each scenario of except* was run by CPython 3.14; the expectation is what it printed.

auto ignore = [](const BaseExceptionGroup&) {};
auto raise_again = [](const BaseExceptionGroup&) { throw; };
template <class Error>
auto raise(Error error) {
    return [error](const BaseExceptionGroup&) { throw error; };
}

template <class... Clause>
std::string star(std::exception_ptr error, const Clause&... clauses) {
    return outcome([&] { except_star(error, clauses...); });
}

auto two() { return group_of("two", pointer_to(ValueError("1")), pointer_to(TypeError("2"))); }
auto three() {
    return group_of("two", pointer_to(ValueError("1")), pointer_to(TypeError("3")), pointer_to(OSError("2")));
}

TEST(ExceptionGroup, NestedAMillionDeepDiesWithoutRecursion) {
    std::exception_ptr group = pointer_to(ValueError("innermost"));
    for (int depth = 0; depth < 1'000'000; ++depth) group = group_of("around", group);
    EXPECT_NE(exception_cast<ExceptionGroup>(group), nullptr);
    group = nullptr;
}

TEST(ExceptStar, WrapsANakedException) {
    std::string seen;
    try {
        throw ValueError("n");
    } catch (...) {
        except_star<ValueError>([&](const BaseExceptionGroup& group) {
            seen = repr(std::current_exception());
            EXPECT_EQ(group.message(), "");
        });
    }
    EXPECT_EQ(seen, "ExceptionGroup('', [ValueError('n')])");
}

TEST(ExceptStar, RunsEachMatchingClauseWithItsPartAndThrowsTheRest) {
    std::vector<std::string> seen;
    auto note = [&](const BaseExceptionGroup&) { seen.push_back(repr(std::current_exception())); };
    auto end = star(pointer_to(example()), on_error<ValueError>(note), on_error<OSError>(note),
                    on_error<ValueError, TypeError>(note));
    EXPECT_EQ(seen, (std::vector<std::string>{
                        "ExceptionGroup('top', [ValueError('a'), ExceptionGroup('in', [ValueError('b')])])",
                        "ExceptionGroup('top', [ExceptionGroup('in', [TypeError('t')])])"}));
    EXPECT_EQ(end, "BaseExceptionGroup('top', [CancelledError('c')])");
    EXPECT_EQ(star(two(), on_error<ValueError>(ignore), on_error<TypeError>(ignore)), "nothing");
}

TEST(ExceptStar, LeavesAnExceptionAloneThatNoClauseTakes) {
    auto error = pointer_to(ValueError("n"));
    for (const auto& thrown : {error, two()}) {
        try {
            except_star<OSError>(thrown, raise(RuntimeError("no")));
            FAIL();
        } catch (...) {
            EXPECT_EQ(std::current_exception(), thrown);
        }
    }
    except_star<OSError>(std::exception_ptr(), ignore);
}

TEST(ExceptStar, CombinesWhatHandlersThrowWithTheRest) {
    EXPECT_EQ(star(pointer_to(example()), on_error<ValueError>(raise(OSError("new")))),
              "BaseExceptionGroup('', [OSError('new'), BaseExceptionGroup('top', [ExceptionGroup('in', "
              "[TypeError('t')]), CancelledError('c')])])");
    EXPECT_EQ(star(two(), on_error<ValueError>(raise(OSError("v"))), on_error<TypeError>(raise(OSError("t")))),
              "ExceptionGroup('', [OSError('v'), OSError('t')])");
    EXPECT_EQ(star(two(), on_error<ValueError>(raise(KeyboardInterrupt()))),
              "BaseExceptionGroup('', [KeyboardInterrupt(), ExceptionGroup('two', [TypeError('2')])])");
}

TEST(ExceptStar, DoesNotWrapASingleNewException) {
    EXPECT_EQ(star(pointer_to(ValueError("n")), on_error<ValueError>(raise(OSError("new")))), "OSError('new')");
    EXPECT_EQ(star(group_of("two", pointer_to(ValueError("1"))), on_error<ValueError>(raise(OSError("x")))),
              "OSError('x')");
}

TEST(ExceptStar, PutsWhatIsThrownAgainBackInItsPlace) {
    EXPECT_EQ(star(two(), on_error<ValueError>(raise_again), on_error<TypeError>(raise_again)),
              "ExceptionGroup('two', [ValueError('1'), TypeError('2')])");
    EXPECT_EQ(star(three(), on_error<OSError>(raise_again), on_error<ValueError>(raise_again)),
              "ExceptionGroup('two', [ValueError('1'), TypeError('3'), OSError('2')])");
    auto nested = group_of("two", group_of("a", pointer_to(ValueError("1")), pointer_to(TypeError("3"))),
                           pointer_to(OSError("2")));
    EXPECT_EQ(star(nested, on_error<ValueError>(raise_again), on_error<TypeError>(ignore)),
              "ExceptionGroup('two', [ExceptionGroup('a', [ValueError('1')]), OSError('2')])");
    EXPECT_EQ(star(pointer_to(ValueError("n")), on_error<ValueError>(raise_again)),
              "ExceptionGroup('', [ValueError('n')])");
    EXPECT_EQ(star(three(), on_error<ValueError>(raise_again), on_error<TypeError>(raise(LookupError("t")))),
              "ExceptionGroup('', [LookupError('t'), ExceptionGroup('two', [ValueError('1'), "
              "OSError('2')])])");
}

TEST(ExceptStar, TakesAThrownCopyForANewException) {
    auto raise_copy = [](const BaseExceptionGroup& group) { throw dynamic_cast<const ExceptionGroup&>(group); };
    EXPECT_EQ(star(two(), on_error<ValueError>(raise_copy)),
              "ExceptionGroup('', [ExceptionGroup('two', [ValueError('1')]), ExceptionGroup('two', "
              "[TypeError('2')])])");
    auto raise_child = [](const BaseExceptionGroup& group) { std::rethrow_exception(group.exceptions()[0]); };
    EXPECT_EQ(star(two(), on_error<ValueError>(raise_child)),
              "ExceptionGroup('', [ValueError('1'), ExceptionGroup('two', [TypeError('2')])])");
}

TEST(ExceptionGroup, ItsPartsAreGroupsAndExceptionPointers) {
    BaseExceptionGroup group("two", {pointer_to(ValueError("1")), pointer_to(OSError("2"))});
    auto [values, rest] = group.split<ValueError>();
    EXPECT_EQ(values->message(), "two");
    EXPECT_EQ(repr(values->exceptions()[0]), "ValueError('1')");
    EXPECT_EQ((*rest).exceptions().size(), 1u);
    auto part = group.subgroup<OSError>();
    std::exception_ptr pointer = part;
    EXPECT_EQ(repr(pointer), "ExceptionGroup('two', [OSError('2')])");
    EXPECT_THROW(std::rethrow_exception(part), ExceptionGroup);
    auto none = group.subgroup<TypeError>();
    EXPECT_FALSE(none);
    EXPECT_EQ(none, nullptr);
    EXPECT_THROW(none->message(), ValueError);
}

TEST(ExceptStar, OfBaseExceptionTakesEverything) {
    EXPECT_EQ(star(pointer_to(example()), on_error<BaseException>(ignore)), "nothing");
    EXPECT_EQ(star(pointer_to(ValueError()), on_error<BaseException>(ignore)), "nothing");
}

}  // namespace
