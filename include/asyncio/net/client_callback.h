#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/task.h>
#include <asyncio/detail/counted.h>
#include <asyncio/detail/double_destruction.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/stream_reader.h>
#include <asyncio/net/stream_writer.h>

#include <type_traits>
#include <utility>

namespace asyncio {

/// What a server can call for each connection: a function, or a coroutine function, of a reader and a writer.
/// Python: the `client_connected_cb` of `start_server()`.
template <class F>
concept ClientConnectedCallback = std::is_invocable_v<detail::KeptCopy<F>, StreamReader, StreamWriter>;

namespace detail {

/// Whether these begin with a method and its object, to be called so.
template <class... Given>
inline constexpr bool is_bound_client_callback = false;
template <class Method, class Object, class... Rest>
requires std::is_member_function_pointer_v<std::decay_t<Method>>
inline constexpr bool is_bound_client_callback<Method, Object, Rest...> =
    ClientConnectedCallback<BoundMethod<std::decay_t<Method>, std::decay_t<Object>>>;
template <class Method, class Object>
concept BoundClientCallback = is_bound_client_callback<Method, Object>;

/// What is called with a new connection.
class ClientCallback : public Counted {
public:
    /// The task that it has begun, or an empty handle.
    virtual AnyTask call(LoopCore& loop, StreamReader reader, StreamWriter writer) = 0;

protected:
    ~ClientCallback() override = default;
};

template <class F>
class ClientCallbackOf final : public ClientCallback {
public:
    template <class G>
    explicit ClientCallbackOf(std::in_place_t, G&& function) : function_(static_cast<G&&>(function)) {}
    AnyTask call(LoopCore& loop, StreamReader reader, StreamWriter writer) override {
        using Return = decltype(invoke(function_, std::move(reader), std::move(writer)));
        if constexpr (Coroutine<Return>) {
            // The task keeps the callable, and what it has captured, and the two handles.
            return create_callable_task_on(loop, TaskOptions{}, Kept(this), std::move(reader), std::move(writer));
        } else {
            static_cast<void>(invoke(function_, std::move(reader), std::move(writer)));
            return {};
        }
    }

private:
    class Kept {
    public:
        explicit Kept(ClientCallbackOf* callback) noexcept : callback_(callback) {}
        auto operator()(StreamReader&& reader, StreamWriter&& writer) const {
            return invoke(callback_->function_, std::move(reader), std::move(writer));
        }

    private:
        Ref<ClientCallbackOf> callback_;
    };
    F function_;
};

template <class F>
Ref<ClientCallback> client_callback(F&& function) {
    static_assert(safe_beside_co_await<F>,
                  "g++ 12 would destroy this temporary lambda twice if start_server() is awaited on the spot, since it "
                  "captures by value something that has a destructor: capture by reference, or give it a name first");
    return Ref<ClientCallback>(new ClientCallbackOf<std::decay_t<F>>(std::in_place, static_cast<F&&>(function)));
}

}  // namespace detail
}  // namespace asyncio
