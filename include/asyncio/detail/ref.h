#pragma once

#include <type_traits>

namespace asyncio::detail {
/// Bases of public classes. A namespace without functions: else a user's call of a function with such an object would
/// look for it among those of `detail` as well.
namespace bases {

/// An owning pointer to an object that counts its own references.
///
/// `T` has `inc_ref()` and `dec_ref()`, both noexcept; the last `dec_ref()` ends the object.
/// Whether the count may be touched from several threads is `T`'s affair. One pointer wide; a
/// moved-from `Ref` is null.
template <class T>
class Ref {
public:
    constexpr Ref() noexcept = default;
    constexpr Ref(decltype(nullptr)) noexcept {}
    /// Shares the object: adds a reference of its own.
    explicit Ref(T* object) noexcept : object_(object) {
        if (object_) object_->inc_ref();
    }
    /// Takes over a reference that the caller holds.
    static Ref adopt(T* object) noexcept {
        Ref ref;
        ref.object_ = object;
        return ref;
    }
    Ref(const Ref& other) noexcept : Ref(other.object_) {}
    Ref(Ref&& other) noexcept : object_(other.release()) {}
    template <class U>
    requires std::is_convertible_v<U*, T*> Ref(Ref<U> other)
    noexcept : object_(other.release()) {}
    Ref& operator=(const Ref& other) noexcept {
        Ref(other).swap(*this);
        return *this;
    }
    Ref& operator=(Ref&& other) noexcept {
        Ref(static_cast<Ref&&>(other)).swap(*this);
        return *this;
    }
    ~Ref() {
        if (object_) object_->dec_ref();
    }

    /// The object, or null.
    T* get() const noexcept { return object_; }
    T* operator->() const noexcept { return object_; }
    T& operator*() const noexcept { return *object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.object_ == b.object_; }
    friend bool operator==(const Ref& a, const T* b) noexcept { return a.object_ == b; }
    friend bool operator==(const Ref& a, decltype(nullptr)) noexcept { return a.object_ == nullptr; }

    /// Gives up the reference without dropping it: the caller owns it now.
    [[nodiscard]] T* release() noexcept {
        T* object = object_;
        object_ = nullptr;
        return object;
    }
    /// Drops the reference, and the object with the last one.
    void reset() noexcept { Ref().swap(*this); }
    /// Shares the object. For one that is null.
    void begin(T* object) noexcept {
        object->inc_ref();
        object_ = object;
    }
    void swap(Ref& other) noexcept {
        T* object = object_;
        object_ = other.object_;
        other.object_ = object;
    }

private:
    T* object_ = nullptr;
};

}  // namespace bases
using bases::Ref;

}  // namespace asyncio::detail
