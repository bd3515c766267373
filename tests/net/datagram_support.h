#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/core/future.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/net/create_datagram_endpoint.h>
#include <asyncio/net/datagrams.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/transports.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait_for.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "net/net_support.h"

namespace support {

/// Notes what it is told: "made", "data 'x'", "error OSError(…)", "pause", "resume", "lost None". As MyDatagramProto of
/// test_events.py.
class NotingProtocol : public asyncio::DatagramProtocol {
public:
    NotingProtocol() = default;
    explicit NotingProtocol(std::vector<std::string>& notes) : notes_(&notes) {}
    NotingProtocol(std::vector<std::string>& notes, std::function<void(const std::string&)> listener)
        : notes_(&notes), on_note(std::move(listener)) {}

    void connection_made(asyncio::DatagramTransport its_transport) override {
        transport = its_transport;
        note("made");
    }
    void datagram_received(std::string_view data, const asyncio::SocketAddress& address) override {
        last_address = address;
        note("data " + shortened(data));
    }
    void error_received(std::exception_ptr error) override { note("error " + asyncio::repr(error)); }
    void pause_writing() override { note("pause"); }
    void resume_writing() override { note("resume"); }
    void connection_lost(std::exception_ptr error) override {
        note("lost " + (error ? asyncio::repr(error) : std::string("None")));
    }

    asyncio::DatagramTransport transport;
    asyncio::SocketAddress last_address;

private:
    static std::string shortened(std::string_view data) {
        if (data.size() <= 20) return "'" + std::string(data) + "'";
        return std::to_string(data.size()) + " bytes";
    }
    void note(const std::string& what) {
        if (notes_ != nullptr) notes_->push_back(what);
        if (on_note) on_note(what);
    }
    std::vector<std::string>* notes_ = nullptr;

public:
    std::function<void(const std::string&)> on_note;
};

inline std::string joined(const std::vector<std::string>& notes) {
    std::string all;
    for (const std::string& note : notes) all += (all.empty() ? "" : ", ") + note;
    return all;
}

/// Lets the loop go on until it is so. False if that takes too long.
template <class Condition>
asyncio::Coro<bool> until(Condition condition) {
    for (int i = 0; i < 20'000; ++i) {
        if (condition()) co_return true;
        co_await asyncio::sleep(asyncio::Seconds(0.0005));
    }
    co_return false;
}

/// A datagram socket on a free port of the loopback interface.
inline asyncio::Socket datagram_socket(const char* host = "127.0.0.1") {
    asyncio::SocketAddress address(host, 0);
    asyncio::Socket socket(address.family(), asyncio::SocketKind::DGRAM);
    socket.bind(address);
    return socket;
}

/// An address at which nobody receives.
inline asyncio::SocketAddress nobodys_address() { return datagram_socket().getsockname(); }

}  // namespace support
