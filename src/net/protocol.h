#pragma once

#include <asyncio/detail/counted.h>
#include <asyncio/net/bytes_like.h>

#include <cstddef>
#include <exception>
#include <string_view>

namespace asyncio::detail {

class LoopCore;
class Transport;

/// What stands on a transport and is told what happens to it. The transport has a share of it until the connection is
/// over. CPython: protocols.py.
///
/// The order is `connection_made()`; then what comes, an end and pauses; then `connection_lost()`, after which nothing
/// comes but `detached()`.
class Protocol : public Counted {
public:
    /// May throw; the connection goes on, and the loop is told.
    virtual void connection_made(Transport& transport) = 0;

    /// Something can be received. True: the protocol has a task do it, in its turn, by `Transport::receive_late()`.
    virtual bool offer() noexcept { return false; }
    /// Where the next bytes are to be received, for `buffer_updated()`; nothing: anywhere, for `data_received()`.
    virtual WritableBytes get_buffer() noexcept { return {}; }
    virtual void buffer_updated(std::size_t size) = 0;
    /// The bytes are gone when it returns.
    virtual void data_received(std::string_view data) = 0;
    /// The other end sends no more. False: then the transport closes itself.
    virtual bool eof_received() noexcept = 0;

    /// What is kept to be sent went above the high-water mark, or came down to the low one.
    virtual void pause_writing() noexcept = 0;
    virtual void resume_writing() noexcept = 0;

    /// By what it was lost; null if it was closed.
    virtual void connection_lost(std::exception_ptr error) noexcept = 0;
    /// The transport lets go of it. The only thing that is told when the loop is closed.
    virtual void detached() noexcept = 0;

protected:
    ~Protocol() override = default;
};

/// Makes the protocol of each connection that a server accepts.
class ProtocolFactory : public Counted {
public:
    virtual Protocol* make(LoopCore& loop) = 0;

protected:
    ~ProtocolFactory() override = default;
};

}  // namespace asyncio::detail
