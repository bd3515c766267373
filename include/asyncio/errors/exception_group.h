#pragma once

#include <asyncio/errors/exceptions.h>

#include <exception>
#include <string>
#include <type_traits>
#include <vector>

namespace asyncio {

class BaseExceptionGroup;

/// A part of a group: a group itself, or null where there is nothing of it. `part->exceptions()`, `*part`; as a
/// `std::exception_ptr` it can be thrown, kept and printed. Python: the group, or None.
class ExceptionGroupPart : public std::exception_ptr {
public:
    ExceptionGroupPart() noexcept = default;
    explicit ExceptionGroupPart(std::exception_ptr group) noexcept
        : std::exception_ptr(static_cast<std::exception_ptr&&>(group)) {}
    /// Throws ValueError where there is none.
    const BaseExceptionGroup& operator*() const;
    const BaseExceptionGroup* operator->() const { return &**this; }
};

/// The two halves of a group that was split; null where nothing is left. Python: the pair that
/// split() returns.
struct ExceptionSplit {
    ExceptionSplit() noexcept = default;
    ExceptionGroupPart matched;
    ExceptionGroupPart rest;
};

namespace detail {

/// A reference to any callable `bool(const std::exception_ptr&)`; lives no longer than the
/// callable.
class ErrorPredicate {
public:
    template <class Predicate>
    explicit ErrorPredicate(const Predicate& predicate) noexcept
        : object_(&predicate), call_([](const void* object, const std::exception_ptr& error) -> bool {
              return (*static_cast<const Predicate*>(object))(error);
          }) {}
    bool operator()(const std::exception_ptr& error) const { return call_(object_, error); }

private:
    const void* object_;
    bool (*call_)(const void*, const std::exception_ptr&);
};

/// `except (Error...)` as a predicate. BaseException takes everything, as in Python.
template <class... Error>
struct IsOneOf {
    bool operator()(const std::exception_ptr& error) const noexcept {
        if constexpr ((std::is_same_v<Error, BaseException> || ...)) {
            return true;
        } else {
            return (exception_cast<Error>(error) || ...);
        }
    }
};

/// The halves of any exception.
struct AnySplit {
    std::exception_ptr matched;
    std::exception_ptr rest;
};
/// Splits any exception: a leaf goes whole to one side, a group is taken apart. Keeps what stays
/// whole the same object.
AnySplit split_exception(const std::exception_ptr& error, ErrorPredicate matches);

class GroupState;

}  // namespace detail

/// Several unrelated errors, some of which may be cancellations or other BaseExceptions, thrown as
/// one.
///
/// `catch (const BaseExceptionGroup&)` takes an ExceptionGroup as well. `what()` is the message and
/// under it the children, nested groups deeper. Immutable; copies share everything and cost a
/// reference count. Throws ValueError when `exceptions` is empty or has a null in it. (An
/// ExceptionGroup throws TypeError, too.)
///
/// Python: BaseExceptionGroup. A C++ constructor cannot return a derived class:
/// `make_exception_group()` does what Python's does, and gives an ExceptionGroup if it can.
class BaseExceptionGroup : public BaseException {
public:
    BaseExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions);
    BaseExceptionGroup(const BaseExceptionGroup& other) noexcept;
    BaseExceptionGroup& operator=(const BaseExceptionGroup& other) noexcept;
    ~BaseExceptionGroup() override;

    /// What it was made with, without the children. Python: `message`.
    const std::string& message() const noexcept;
    /// The errors in it, in their order; none is null. Python: `exceptions`.
    const std::vector<std::exception_ptr>& exceptions() const noexcept;
    const char* what() const noexcept override;

    /// Parts the errors of these types, at any depth, from the others. Nested groups keep shape and
    /// message; a group that is itself of such a type goes whole. Python: group.split((E, ...)).
    template <class Error, class... More>
    ExceptionSplit split() const {
        return split_if(detail::ErrorPredicate(detail::IsOneOf<Error, More...>()));
    }
    /// The same by a predicate that gets a `const std::exception_ptr&`, first for each group, then
    /// for what is in it.
    template <class Predicate>
    ExceptionSplit split(const Predicate& predicate) const {
        return split_if(detail::ErrorPredicate(predicate));
    }
    /// The matching half of split(), or null. Python: group.subgroup((E, ...)).
    template <class Error, class... More>
    ExceptionGroupPart subgroup() const {
        return split<Error, More...>().matched;
    }
    template <class Predicate>
    ExceptionGroupPart subgroup(const Predicate& predicate) const {
        return split(predicate).matched;
    }

private:
    friend class ExceptionGroup;
    friend std::exception_ptr make_exception_group(std::string, std::vector<std::exception_ptr>);
    BaseExceptionGroup(std::string&& message, std::vector<std::exception_ptr>&& exceptions, bool only_exceptions);
    ExceptionSplit split_if(detail::ErrorPredicate matches) const;
    virtual std::exception_ptr self() const;

    detail::Ref<detail::GroupState> state_;
};

/// Several unrelated errors thrown as one, as `TaskGroup` does when its tasks fail.
///
/// Also throws TypeError when one of them is a BaseException. Python: ExceptionGroup.
class ExceptionGroup : public BaseExceptionGroup, public std::exception {
public:
    ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions);
    const char* what() const noexcept override;

private:
    friend std::exception_ptr make_exception_group(std::string, std::vector<std::exception_ptr>);
    ExceptionGroup(std::string&& message, std::vector<std::exception_ptr>&& exceptions, bool only_exceptions);
    std::exception_ptr self() const override;
};
/// As of other exceptions; it is one by both roots. Python: repr(group).
inline std::string repr(const ExceptionGroup& group) { return repr(static_cast<const BaseException&>(group)); }
/// Python: str(group).
inline std::string str(const ExceptionGroup& group) { return str(static_cast<const BaseException&>(group)); }
/// Python: type(group).__name__.
inline std::string type_name(const ExceptionGroup& group) {
    return type_name(static_cast<const BaseException&>(group));
}

/// An ExceptionGroup if all are ordinary errors (`std::exception`s, or types that know nothing of
/// either), else a BaseExceptionGroup. Python: BaseExceptionGroup(message, exceptions).
std::exception_ptr make_exception_group(std::string message, std::vector<std::exception_ptr> exceptions);

namespace detail {

/// The clauses of one `except*` statement at work.
class ExceptStar {
public:
    explicit ExceptStar(std::exception_ptr error) noexcept;
    /// Runs the handler with what still matches, if anything does, and keeps what it throws.
    template <class Matches, class Handler>
    void clause(const Matches& matches, Handler& handler) {
        run(ErrorPredicate(matches), &handler,
            [](void* object, const BaseExceptionGroup& group) { (*static_cast<Handler*>(object))(group); });
    }
    /// Throws what the handlers threw and nobody handled; returns if that is nothing.
    void finish();

private:
    void run(ErrorPredicate matches, void* handler, void (*call)(void*, const BaseExceptionGroup&));

    std::exception_ptr original_;
    std::exception_ptr rest_;
    std::vector<std::exception_ptr> raised_;
    std::vector<std::exception_ptr> reraised_;
};

template <class Handler, class... Error>
class ErrorClause {
    static_assert(sizeof...(Error) > 0 && !(std::is_base_of_v<BaseExceptionGroup, Error> || ...),
                  "catching ExceptionGroup with except* is not allowed. Use catch instead.");

public:
    explicit ErrorClause(Handler& handler) noexcept : handler_(handler) {}
    void operator()(ExceptStar& star) const { star.clause(IsOneOf<Error...>(), handler_); }

private:
    Handler& handler_;
};

template <class T>
inline constexpr bool is_error_clause = false;
template <class Handler, class... Error>
inline constexpr bool is_error_clause<ErrorClause<Handler, Error...>> = true;
template <class T>
concept IsErrorClause = is_error_clause<T>;

}  // namespace detail

/// One `except* Error` clause of `except_star()`, to be used in the same statement; several types
/// are Python's `except* (A, B)`.
template <class... Error, class Handler>
auto on_error(Handler&& handler) noexcept {
    return detail::ErrorClause<std::remove_reference_t<Handler>, Error...>(handler);
}

/// Handles the errors of a group type by type.
///
/// Each clause gets, as a `const BaseExceptionGroup&`, the part of what is left that has its types;
/// an error that is no group comes in a group with an empty message. At the end the unhandled part
/// is thrown again in its old shape. `throw;` in a handler throws that part again; whatever else
/// handlers throw is combined with the rest in a group with an empty message. Inside a catch block,
/// or anywhere with the error in hand (null: does nothing); handlers cannot `co_await`.
///
/// ```cpp
/// try { work(); } catch (...) {
///     except_star(on_error<ValueError>([](const BaseExceptionGroup& group) { report(group); }),
///                 on_error<OSError>([](const BaseExceptionGroup& group) { retry(); }));
/// }
/// ```
/// Python: the `except*` clauses of a try statement.
template <detail::IsErrorClause... Clause>
void except_star(std::exception_ptr error, const Clause&... clauses) {
    if (!error) return;
    detail::ExceptStar star(static_cast<std::exception_ptr&&>(error));
    (clauses(star), ...);
    star.finish();
}
/// The same for the exception being handled: call it in a catch block.
template <detail::IsErrorClause... Clause>
void except_star(const Clause&... clauses) {
    except_star(std::current_exception(), clauses...);
}
/// A statement with a single clause: `except_star<ValueError>(handler)`.
template <class Error, class... More, class Handler>
void except_star(std::exception_ptr error, Handler&& handler) {
    except_star(static_cast<std::exception_ptr&&>(error), on_error<Error, More...>(handler));
}
template <class Error, class... More, class Handler>
void except_star(Handler&& handler) {
    except_star(std::current_exception(), on_error<Error, More...>(handler));
}

}  // namespace asyncio
