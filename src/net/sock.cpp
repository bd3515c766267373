#include <asyncio/net/sock.h>

#include "loop/loop_core.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/net/dns.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace asyncio::detail {

namespace {

/// What there is to be received now; of a socket with messages at least the next of them.
std::size_t bytes_there(const SocketState& socket) noexcept {
    int size = 0;
    return ::ioctl(socket.fd, FIONREAD, &size) == 0 && size > 0 ? static_cast<std::size_t>(size) : 0;
}

/// Where something is received of which at most `most` bytes are wanted: in the loop's buffer as long as it fits, else
/// in memory for as much as there is.
void prepare_data(IoOperation& operation, LoopCore& loop, const SocketState& socket, std::size_t most,
                  std::string& data) {
    constexpr std::size_t fits = ReceiveBuffer::size;
    if (most > fits) [[unlikely]]
        most = std::min(most, std::max(bytes_there(socket), fits));
    if (most > fits) data.resize(most);
    operation.data = most > fits ? data.data() : loop.receive_buffer().memory();
    operation.size = most;
}

void take_data(const IoOperation& operation, LoopCore& loop, std::string& data) {
    auto size = static_cast<std::size_t>(operation.result);
    if (operation.data != data.data()) {
        loop.receive_buffer().take(data, size);
    } else {
        data.resize(size);
        if (size < data.capacity() / 2) data.shrink_to_fit();
    }
}

void prepare_address(IoOperation& operation, SocketAddress& address) noexcept {
    operation.address = address.native_room();
    operation.address_size = SocketAddress::capacity;
}

void prepare_bytes(IoOperation& operation, BytesLike bytes) noexcept {
    operation.data = const_cast<char*>(bytes.data());
    operation.size = bytes.size();
}

}  // namespace

RecvWaiter::RecvWaiter(Ref<SocketState> socket, std::size_t most) noexcept
    : SocketWaiter(IoCall::receive, std::move(socket)), most_(most) {}
bool RecvWaiter::check_arguments() {
    operation().tells_empty = socket().is_byte_stream();
    operation().is_tcp = socket().is_tcp();
    return most_ > 0;
}
void RecvWaiter::prepare() { prepare_data(operation(), loop(), socket(), most_, data_); }
bool RecvWaiter::advance() {
    take_data(operation(), loop(), data_);
    return true;
}

RecvIntoWaiter::RecvIntoWaiter(Ref<SocketState> socket, WritableBytes buffer) noexcept
    : SocketWaiter(IoCall::receive, std::move(socket)), buffer_(buffer) {}
bool RecvIntoWaiter::check_arguments() {
    operation().tells_empty = socket().is_byte_stream();
    operation().is_tcp = socket().is_tcp();
    return buffer_.size() > 0;
}
void RecvIntoWaiter::prepare() noexcept {
    operation().data = buffer_.data();
    operation().size = buffer_.size();
}

RecvFromWaiter::RecvFromWaiter(Ref<SocketState> socket, std::size_t most) noexcept
    : SocketWaiter(IoCall::receive_from, std::move(socket)), most_(most) {}
void RecvFromWaiter::prepare() {
    prepare_data(operation(), loop(), socket(), most_, data_);
    prepare_address(operation(), address_);
}
bool RecvFromWaiter::advance() {
    take_data(operation(), loop(), data_);
    address_.set_native_size(operation().address_size);
    return true;
}

RecvFromIntoWaiter::RecvFromIntoWaiter(Ref<SocketState> socket, WritableBytes buffer, std::size_t most) noexcept
    : SocketWaiter(IoCall::receive_from, std::move(socket)), buffer_(buffer), most_(most) {}
bool RecvFromIntoWaiter::check_arguments() {
    if (most_ > buffer_.size()) throw ValueError("nbytes is greater than the length of the buffer");
    if (most_ == 0) most_ = buffer_.size();
    return true;
}
void RecvFromIntoWaiter::prepare() noexcept {
    operation().data = buffer_.data();
    operation().size = most_;
    prepare_address(operation(), address_);
}
bool RecvFromIntoWaiter::advance() {
    address_.set_native_size(operation().address_size);
    return true;
}

SendAllWaiter::SendAllWaiter(Ref<SocketState> socket, KeptBytes data, SendTurn turn) noexcept
    : SocketWaiter(IoCall::send, std::move(socket)), data_(std::move(data)) {
    operation().goes_on = turn == SendTurn::goes_on;
}
void SendAllWaiter::prepare() noexcept {
    BytesLike all = data_.get();
    prepare_bytes(operation(), BytesLike(all.view().substr(sent_)));
}
bool SendAllWaiter::advance() {
    sent_ += static_cast<std::size_t>(operation().result);
    operation().at_once = false;  // it was cut short: there is no room for more now
    operation().goes_on = true;
    return sent_ == data_.get().size();
}

SendToWaiter::SendToWaiter(Ref<SocketState> socket, KeptBytes data, const SocketAddress& address) noexcept
    : SocketWaiter(IoCall::send_to, std::move(socket)), data_(std::move(data)), address_(address) {}
void SendToWaiter::prepare() noexcept {
    prepare_bytes(operation(), data_.get());
    operation().address = address_.native_room();
    operation().address_size = address_.native_size();
}

AcceptWaiter::AcceptWaiter(Ref<SocketState> socket) noexcept : SocketWaiter(IoCall::accept, std::move(socket)) {}
void AcceptWaiter::prepare() noexcept { prepare_address(operation(), address_); }
bool AcceptWaiter::advance() {
    conn_ = socket_of(static_cast<int>(operation().result), socket().family, socket().kind, socket().proto);
    address_.set_native_size(operation().address_size);
    return true;
}

ConnectWaiter::ConnectWaiter(Ref<SocketState> socket, const SocketAddress& address) noexcept
    : SocketWaiter(IoCall::connect, std::move(socket)), address_(address) {}

void ConnectWaiter::prepare() noexcept {
    operation().address = address_.native_room();
    operation().address_size = address_.native_size();
}

/// The line of those who wait for the server's accept() is full, and nothing tells when there is room.
bool ConnectWaiter::must_try_again() const noexcept {
    return operation().result == -EAGAIN && !operation().begun && socket().family == AddressFamily::UNIX;
}

void ConnectWaiter::try_later() noexcept {
    constexpr double longest = 0.05;
    if (!is_pending()) return;
    try {
        schedule_at(loop(), time_of(loop()) + Seconds(delay_), *task_);
        task_->set_run(&ConnectWaiter::is_due);
    } catch (...) {
        fail();
        return wake();
    }
    delay_ = std::min(2 * delay_, longest);
}

void ConnectWaiter::is_due(ReadyNode& node) {
    auto& waiter = static_cast<ConnectWaiter&>(of(node));
    if (waiter.socket().fd < 0) {  // it was closed meanwhile, and its number may be another's
        waiter.operation().result = -EBADF;
        return waiter.wake();
    }
    waiter.prepare();
    if (!waiter.operation().start(waiter.loop().io())) return;
    if (waiter.must_try_again()) return waiter.try_later();
    waiter.wake();
}

void ConnectWaiter::throw_error() const {
    auto error = static_cast<int>(-operation().result);
    if (address_.family() == AddressFamily::UNIX) throw_os_error(error, {}, address_.path());
    throw_os_error(error, "Connect call failed " + repr(address_));
}

Coro<> sock_connect_to_host(Ref<SocketState> socket, OwnedHost host, OwnedPort port) {
    if (!socket) throw_os_error(EBADF);
    AddressQuery query{host, port, socket->family, socket->kind, socket->proto, 0};
    std::vector<AddressInfo> found = co_await resolve(query);
    co_await SocketCall<ConnectWaiter, SocketAddress>(std::move(socket), found.front().address);
}

}  // namespace asyncio::detail
