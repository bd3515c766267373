#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

template <class Signature>
class Function;

/// A callable of any type behind one signature, move-only; empty ones test false.
template <class Result, class... Args>
class Function<Result(Args...)> {
public:
    Function() noexcept = default;
    Function(decltype(nullptr)) noexcept {}
    template <class F>
    requires(!std::same_as<std::decay_t<F>, Function> && std::is_invocable_r_v<Result, std::decay_t<F>&, Args...>)
        Function(F&& function)
        : target_(new Target<std::decay_t<F>>(static_cast<F&&>(function))) {}
    Function(Function&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
    Function& operator=(Function&& other) noexcept {
        std::swap(target_, other.target_);
        return *this;
    }
    ~Function() { delete target_; }

    explicit operator bool() const noexcept { return target_ != nullptr; }
    Result operator()(Args... args) const { return target_->call(static_cast<Args&&>(args)...); }

private:
    struct Base {
        virtual ~Base() = default;
        virtual Result call(Args... args) = 0;
    };
    template <class F>
    struct Target final : Base {
        template <class G>
        explicit Target(G&& function) : function_(static_cast<G&&>(function)) {}
        Result call(Args... args) override { return static_cast<Result>(function_(static_cast<Args&&>(args)...)); }
        F function_;
    };

    Base* target_ = nullptr;
};

}  // namespace asyncio::detail
