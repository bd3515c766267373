#include <asyncio/core/inbox.h>

#include "core/loop_core.h"

namespace asyncio::detail {

Inbox::Inbox() : state_(new State) {}
Inbox::~Inbox() { delete state_; }

void Inbox::inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
void Inbox::dec_ref() noexcept {
    if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
}

bool Inbox::post(ReadyNode& node) noexcept {
    std::lock_guard lock(state_->mutex);
    LoopCore* loop = state_->loop;
    if (loop == nullptr) return false;
    if (running_core_or_null() == loop) {
        loop->push_ready(state_->posted);  // they came first
        loop->push_ready(node);
        return true;
    }
    bool was_empty = state_->posted.empty();
    state_->posted.push_back(node);
    state_->any_posted.store(true, std::memory_order_release);
    if (was_empty) loop->io().wake();
    return true;
}

bool Inbox::is_of_running_loop() const noexcept {
    LoopCore* running = running_core_or_null();
    return running != nullptr && &running->inbox() == this;
}

void Inbox::wake() noexcept {
    std::lock_guard lock(state_->mutex);
    if (state_->loop != nullptr) state_->loop->io().wake();
}

bool Inbox::has_virtual_time() const noexcept {
    std::lock_guard lock(state_->mutex);
    return state_->loop != nullptr && state_->loop->has_virtual_time();
}

Message::~Message() = default;

void Message::send(Message* message, Inbox& inbox) noexcept {
    if (!inbox.post(*message)) delete message;
}

void Message::run_message(ReadyNode& node) {
    std::unique_ptr<Message> message(&static_cast<Message&>(node));
    message->deliver();
}

}  // namespace asyncio::detail
