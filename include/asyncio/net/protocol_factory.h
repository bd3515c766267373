#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/detail/counted.h>
#include <asyncio/detail/double_destruction.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/protocols.h>

#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// The protocol's class, by what a factory returns: the protocol itself, which is made in its place, or who keeps it.
template <class Returned>
struct MadeProtocol {
    using type = Returned;
};
template <class P>
struct MadeProtocol<Ref<P>> {
    using type = P;
};
/// std::unique_ptr, without its header, which is dear.
template <class Pointer>
concept UniquePointer = requires(Pointer& pointer) {
    typename Pointer::deleter_type;
    pointer.release();
};
template <UniquePointer Pointer>
struct MadeProtocol<Pointer> {
    using type = typename Pointer::element_type;
};
template <class F>
using ProtocolOf = typename MadeProtocol<std::invoke_result_t<KeptCopy<F>>>::type;

template <class P>
inline constexpr bool is_stream_protocol = std::is_base_of_v<Protocol, P> || std::is_base_of_v<BufferedProtocol, P>;

}  // namespace detail

/// What makes the protocol of a connection: a callable without arguments that returns a protocol, a
/// `std::unique_ptr` of one, or a `ProtocolRef`, which may be of one that there is already.
template <class F>
concept ProtocolFactory = std::is_invocable_v<detail::KeptCopy<F>> && requires {
    typename detail::ProtocolOf<F>;
} && std::is_base_of_v<BaseProtocol, detail::ProtocolOf<F>>;

/// The same, of a `Protocol` or a `BufferedProtocol`.
template <class F>
concept StreamProtocolFactory = ProtocolFactory<F> && detail::is_stream_protocol<detail::ProtocolOf<F>>;

namespace detail {

/// A ProtocolFactory that is kept.
class ProtocolMaker : public Counted {
public:
    virtual Ref<BaseProtocol> make() = 0;

protected:
    ~ProtocolMaker() override = default;
};

template <class F>
class ProtocolMakerOf final : public ProtocolMaker {
public:
    template <class G>
    explicit ProtocolMakerOf(std::in_place_t, G&& function) : function_(static_cast<G&&>(function)) {}
    Ref<BaseProtocol> make() override {
        using Returned = std::invoke_result_t<F&>;
        using P = ProtocolOf<F>;
        if constexpr (std::is_same_v<Returned, P>) {
            return Ref<BaseProtocol>(new P(invoke(function_)));
        } else if constexpr (UniquePointer<Returned>) {
            return Ref<BaseProtocol>(invoke(function_).release());
        } else {
            return invoke(function_);
        }
    }

private:
    F function_;
};

template <class F>
Ref<ProtocolMaker> protocol_maker(F&& factory) {
    static_assert(safe_beside_co_await<F>,
                  "g++ 12 would destroy this temporary lambda twice if the call is awaited on the spot, since it "
                  "captures by value something that has a destructor: give it a name first");
    return Ref<ProtocolMaker>(new ProtocolMakerOf<std::decay_t<F>>(std::in_place, static_cast<F&&>(factory)));
}

/// What has been connected, with its protocol as what the factory makes.
template <template <class> class Connected, class F>
Coro<Connected<ProtocolOf<F>>> with_protocol_of(Coro<Connected<BaseProtocol>> connecting) {
    using P = ProtocolOf<F>;
    Connected<BaseProtocol> made = co_await std::move(connecting);
    co_return Connected<P>{std::move(made.transport),
                           Ref<P>::adopt(static_cast<P*>(std::move(made.protocol).release()))};
}

}  // namespace detail
}  // namespace asyncio
