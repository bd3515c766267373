#pragma once

#include "core/wait_story.h"
#include "net/descriptor_story.h"
#include "net/socket_transport.h"
#include "net/tls_layer.h"

#include <asyncio/core/coroutine.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/create_connection.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/waiter_call.h>

#include <coroutine>
#include <optional>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// What `create_connection()` and `open_connection()` begin with.
Coro<Socket> connected_socket(Host host, Port port, const CreateConnectionOptions& options);
Coro<Socket> connected_unix_socket(std::optional<std::string_view> path, const CreateUnixConnectionOptions& options);

/// The name of the server is the host's, if no other is given. CPython: base_events.py, create_connection
template <class Options>
TlsRequest client_tls(const Options& options, const Host& host) {
    TlsRequest request = TlsRequest::from(options, false);
    request.without_name = "You must set server_hostname when using ssl without a host";
    if (request && !request.server_hostname && host.has_value() && !host.name().empty()) {
        request.server_hostname.emplace(host.name());
    }
    return request;
}
template <class Options>
TlsRequest unix_client_tls(const Options& options) {
    TlsRequest request = TlsRequest::from(options, false);
    request.without_name = "you have to pass server_hostname when using ssl";
    return request;
}

/// A transport that nobody else knows yet: closed if it comes to nothing.
template <class T>
class NewTransport {
public:
    explicit NewTransport(T* transport) noexcept : transport_(transport) {}
    NewTransport(NewTransport&&) noexcept = default;
    NewTransport& operator=(NewTransport&&) = delete;
    ~NewTransport() {
        if (transport_ && !has_begun_) transport_->close();
    }
    T* get() const noexcept { return transport_.get(); }
    T* operator->() const noexcept { return transport_.get(); }
    void has_begun() noexcept { has_begun_ = true; }

private:
    Ref<T> transport_;
    bool has_begun_ = false;
};

/// Waits until a connection has begun.
template <class T>
class BeginWaiter final : public Waiter {
public:
    explicit BeginWaiter(NewTransport<T>* transport) noexcept
        : Waiter(WaitKind::file_descriptor), transport_(*transport) {}
    ~BeginWaiter() { transport_->forget_waiter(); }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        transport_->begin(this);
        set_fd(transport_->fileno());
        suspend(*frame.promise().task(), frame);
    }
    void await_resume() {
        check();
        transport_.has_begun();
    }
    void tell(WaitStory& story) const override {
        story.text = descriptor_story(fd(), "in the beginning of its transport");
    }

private:
    void on_cancel() noexcept override { transport_->forget_waiter(); }
    NewTransport<T>& transport_;
};

}  // namespace asyncio::detail
