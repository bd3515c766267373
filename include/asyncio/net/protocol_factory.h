#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/detail/counted.h>
#include <asyncio/detail/double_destruction.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/protocol_methods.h>
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
template <class P>
struct MadeProtocol<ProtocolRef<P>> {
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

/// The same, of a `DatagramProtocol`.
template <class F>
concept DatagramProtocolFactory = ProtocolFactory<F> && std::is_base_of_v<DatagramProtocol, detail::ProtocolOf<F>>;

namespace detail {

template <class F>
concept PipeProtocolFactory = ProtocolFactory<F> && std::is_base_of_v<Protocol, ProtocolOf<F>>;

// What a factory makes; where it is none of the right kind, the compiler says so. Braces among the other arguments do
// not hinder that, as they would an overload's choice.

template <class F, bool is_right>
struct Product {
    using type = ProtocolOf<F>;
};
template <class F>
struct Product<F, false> {
    using type = BaseProtocol;
};
template <class F>
consteval bool check_stream_factory() {
    static_assert(StreamProtocolFactory<F>,
                  "the factory is called without arguments, for a Protocol or a BufferedProtocol, a std::unique_ptr of "
                  "one or a ProtocolRef");
    return StreamProtocolFactory<F>;
}
template <class F>
consteval bool check_pipe_factory() {
    static_assert(PipeProtocolFactory<F>,
                  "a pipe's factory is called without arguments, for a Protocol, a std::unique_ptr of one or a "
                  "ProtocolRef");
    return PipeProtocolFactory<F>;
}
template <class F>
consteval bool check_datagram_factory() {
    static_assert(DatagramProtocolFactory<F>,
                  "an endpoint's factory is called without arguments, for a DatagramProtocol, a std::unique_ptr of one "
                  "or a ProtocolRef");
    return DatagramProtocolFactory<F>;
}
template <class F>
using StreamProtocolOf = typename Product<F, check_stream_factory<F>()>::type;
template <class F>
using PipeProtocolOf = typename Product<F, check_pipe_factory<F>()>::type;
template <class F>
using DatagramProtocolOf = typename Product<F, check_datagram_factory<F>()>::type;

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
    check_methods<ProtocolOf<F>>();
    return Ref<ProtocolMaker>(new ProtocolMakerOf<std::decay_t<F>>(std::in_place, static_cast<F&&>(factory)));
}

template <class F>
Ref<ProtocolMaker> stream_protocol_maker(F&& factory) {
    static_cast<void>(check_stream_factory<F>());
    return protocol_maker(static_cast<F&&>(factory));
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
