#pragma once

#include <utility>

namespace asyncio::detail {

/// A `Ref` to a type that only `src/` knows, where `add_handle()` and `drop_handle()` of it are.
template <class T>
class FarRef {
public:
    FarRef() noexcept = default;
    explicit FarRef(T* object) noexcept : object_(object) {
        if (object_ != nullptr) add_handle(*object_);
    }
    FarRef(const FarRef& other) noexcept : FarRef(other.object_) {}
    FarRef(FarRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    FarRef& operator=(FarRef other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~FarRef() {
        if (object_ != nullptr) drop_handle(*object_);
    }
    T* get() const noexcept { return object_; }

private:
    T* object_ = nullptr;
};

}  // namespace asyncio::detail
