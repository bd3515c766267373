#pragma once

#include <asyncio/detail/object.h>

#include <new>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// What stands for an argument and only refers to what it was made of, which no result can outlive.
template <class T>
inline constexpr bool is_argument = false;

/// Room for a result that is not there yet: any object type, a reference, or void.
template <class T>
class Slot {
    static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                  "a result is an object, a reference or void: Coro<T> instead of Coro<const T> or Coro<T&&>");
    static_assert(!is_argument<T>,
                  "a result of this type would only refer to a string that dies with the coroutine: return "
                  "what owns it, a std::string, a std::pair<std::string, int> or a SocketAddress, say");
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                  "a result cannot be of an over-aligned type: g++ aligns no coroutine frame to more than 16 bytes");

public:
    Slot() noexcept {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { reset(); }

    template <class... Args>
    void emplace(Args&&... args) {
        reset();
        ::new (static_cast<void*>(address_of(value_))) T(static_cast<Args&&>(args)...);
        full_ = true;
    }
    template <class U>
    void emplace_implicitly(U&& value) {
        reset();
        ::new (static_cast<void*>(address_of(value_))) T(implicitly<T>(static_cast<U&&>(value)));
        full_ = true;
    }
    void reset() noexcept {
        if (full_) value_.~T();
        full_ = false;
    }
    bool has_value() const noexcept { return full_; }
    const T& get() const noexcept { return value_; }
    /// Moves the value out; what is left stays in place.
    T take() noexcept(std::is_nothrow_move_constructible_v<T>) {
        static_assert(std::is_move_constructible_v<T>,
                      "the result would be moved out, and cannot be moved: return a std::unique_ptr of it, or await a "
                      "future or task that has a name, which gives a reference");
        return static_cast<T&&>(value_);
    }

private:
    union {
        T value_;
    };
    bool full_ = false;
};

template <class T>
class Slot<T&> {
public:
    void emplace(T& value) noexcept { value_ = address_of(value); }
    void emplace(T&& value) = delete;  // of a temporary, which would be gone
    void emplace_implicitly(T& value) noexcept { emplace(value); }
    void reset() noexcept { value_ = nullptr; }
    bool has_value() const noexcept { return value_ != nullptr; }
    T& get() const noexcept { return *value_; }
    T& take() noexcept { return *value_; }

private:
    T* value_ = nullptr;
};

/// Whether a reference of type `T` to a `U` is to that object itself, or to a part of it, and not to a temporary.
template <class T, class U>
concept RefersToLasting = requires(Slot<T> slot) {
    slot.emplace(std::declval<U>());
};

template <>
class Slot<void> {
public:
    void emplace() noexcept {}
    void reset() noexcept {}
    void get() const noexcept {}
    void take() noexcept {}
};

}  // namespace asyncio::detail
