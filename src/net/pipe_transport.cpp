#include "net/pipe_transport.h"

#include "loop/loop_core.h"
#include "net/protocol_calls.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/loop/handle.h>

#include <cerrno>
#include <utility>

namespace asyncio::detail {

PipeTransport::PipeTransport(LoopCore& loop, PipeFile file, Ref<BaseProtocol> protocol)
    : loop_(&loop),
      file_(std::move(file)),
      protocol_(std::move(protocol)),
      fd_(file_.fd()),
      step_(&PipeTransport::begins, *this),
      turn_(&PipeTransport::is_always_ready, *this) {
    loop.descriptors().set_user(fd_, this);
    loop.inc_ref();
    loop.resources.push_back(*this);
}

PipeTransport::~PipeTransport() { loop_->dec_ref(); }

void PipeTransport::set_protocol(Ref<BaseProtocol> protocol) {
    bool is_of_bytes =
        protocol->kind() == BaseProtocol::Kind::protocol || protocol->kind() == BaseProtocol::Kind::stream;
    if (!is_of_bytes) throw TypeError("a Protocol was expected");
    if (protocol_) protocol_ = std::move(protocol);
}

// The beginning.

void PipeTransport::begin(Future<> begun) noexcept {
    begun_ = std::move(begun);
    context_ = ContextSlot::copy_current();
    schedule(*loop_, step_);
}

void PipeTransport::begins(ReadyNode& node) {
    PipeTransport& self = static_cast<Step&>(node).transport;
    Ref<TransportState> keep(&self);
    Ref<BaseProtocol> protocol = self.protocol_;
    self.has_begun_ = true;
    ContextScope scope(self.loop_->current_context(), self.context_);
    try {
        call_connection_made(*protocol, self);
    } catch (...) {
        try {
            tell_failed_callback("connection_made", *protocol, self);
        } catch (...) {  // what leaves the loop
            self.end_of_beginning();
            throw;
        }
    }
    self.end_of_beginning();
}

void PipeTransport::end_of_beginning() {
    try {
        if (!closing_) has_begun();
    } catch (...) {  // it cannot be waited for
        closing_ = true;
        schedule_end(std::current_exception());
    }
    if (!begun_.done()) begun_.set_result();
}

// Waiting.

/// In what cannot be waited for, and is ready at any time, it has a turn in each pass.
void PipeTransport::watch(Direction direction) {
    bool& watched = watched_[static_cast<int>(direction)];
    if (watched) return;
    if (!never_waits_ && !file_.is_file()) {
        auto call = [this, direction] { call_ready(direction); };
        Ref<HandleBase> handle = Ref<HandleBase>::adopt(new HandleOf<decltype(call)>(*loop_, call));
        handle->context_slot() = ContextSlot::copy_current();
        try {
            loop_->descriptors().watch(fd_, direction == Direction::writing, handle, this);
            watched = true;
            handles_[static_cast<int>(direction)] = std::move(handle);
            return;
        } catch (const OSError& error) {
            if (error.errno_value() != EPERM) throw;
        }
    }
    watched = true;
    never_waits_ = true;
    if (!turn_.is_linked()) schedule(*loop_, turn_);
}

void PipeTransport::unwatch(Direction direction) noexcept {
    if (!std::exchange(watched_[static_cast<int>(direction)], false)) return;
    handles_[static_cast<int>(direction)] = nullptr;
    if (never_waits_) {
        if (!watched_[0] && !watched_[1]) turn_.unlink();
        return;
    }
    try {
        loop_->descriptors().unwatch(fd_, direction == Direction::writing, this);
    } catch (...) {  // it is watched no longer all the same
    }
}

/// It is called in the context that is current now. That of a handle which runs is itself the current one, so another
/// takes its place.
void PipeTransport::renew_context(Direction direction) {
    HandleBase* handle = handles_[static_cast<int>(direction)].get();
    if (handle == nullptr) return;
    if (handle == running_) {
        unwatch(direction);
        watch(direction);
    } else {
        handle->context_slot() = ContextSlot::copy_current();
    }
}

void PipeTransport::call_ready(Direction direction) {
    class Running {
    public:
        Running(PipeTransport& transport, Direction direction)
            : keep_(&transport), before_(transport.running_), transport_(transport) {
            transport.running_ = transport.handles_[static_cast<int>(direction)].get();
        }
        ~Running() { transport_.running_ = before_; }

    private:
        Ref<TransportState> keep_;
        HandleBase* before_;
        PipeTransport& transport_;
    };
    Running running(*this, direction);
    is_ready(direction);
}

void PipeTransport::is_always_ready(ReadyNode& node) {
    PipeTransport& self = static_cast<Step&>(node).transport;
    Ref<TransportState> keep(&self);
    ContextScope scope(self.loop_->current_context(), self.context_);
    for (Direction direction : {Direction::reading, Direction::writing}) {
        if (self.is_watched(direction)) self.is_ready(direction);
    }
    bool goes_on = self.is_watched(Direction::reading) || self.is_watched(Direction::writing);
    if (goes_on && !self.turn_.is_linked()) schedule(*self.loop_, self.turn_);
}

// The end.

void PipeTransport::schedule_end(std::exception_ptr error) noexcept {
    if (std::exchange(end_is_scheduled_, true)) return;
    lost_by_ = std::move(error);
    step_.unlink();  // it may not have begun
    step_.set_run(&PipeTransport::is_over);
    schedule(*loop_, step_);
}

void PipeTransport::is_over(ReadyNode& node) {
    PipeTransport& self = static_cast<Step&>(node).transport;
    self.lose_connection(std::exchange(self.lost_by_, nullptr));
}

void PipeTransport::lose_connection(std::exception_ptr error) {
    Ref<TransportState> keep(this);
    end_is_scheduled_ = true;
    if (!has_begun_) return disconnect();
    Ref<BaseProtocol> protocol = protocol_;
    try {
        ContextScope scope(loop_->current_context(), context_);
        before_end(*protocol);
        protocol->connection_lost(std::move(error));
    } catch (...) {
        disconnect();
        return tell_failed_callback("connection_lost", *protocol, *this);
    }
    disconnect();
}

void PipeTransport::disconnect() noexcept {
    ListHook<LoopResources>::unlink();
    unwatch(Direction::reading);
    unwatch(Direction::writing);
    step_.unlink();
    turn_.unlink();
    if (file_.fd() >= 0) loop_->descriptors().set_user(fd_, nullptr);
    file_.close();
    if (Ref<BaseProtocol> protocol = std::exchange(protocol_, nullptr)) protocol->detached();
    dec_ref();  // its own
}

void PipeTransport::loop_is_closing() noexcept {
    closing_ = true;
    end_is_scheduled_ = true;
    disconnect();
}

std::string PipeTransport::repr_of(const char* name, const std::string& more) const {
    std::string text = std::string("<") + name;
    if (protocol_ == nullptr) {
        text += " closed";
    } else if (closing_) {
        text += " closing";
    }
    text += " fd=" + std::to_string(fd_);
    return text + (protocol_ != nullptr ? more : " closed") + ">";
}

}  // namespace asyncio::detail
