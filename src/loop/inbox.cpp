#include <asyncio/loop/inbox.h>

#include "loop/loop_core.h"

#include <memory>
#include <mutex>

namespace asyncio::detail {

struct Inbox::State : Pooled {
    PostedList posted;         // closed with the loop
    std::mutex mutex;          // the loop, and its backend, must not go while they are used
    LoopCore* loop = nullptr;  // null: closed
};

Ref<Inbox> Inbox::make(LoopCore& loop) {
    auto inbox = Ref<Inbox>::adopt(new Inbox());
    inbox->state_->loop = &loop;
    return inbox;
}

Inbox::Inbox() : state_(new State) {}
Inbox::~Inbox() { delete state_; }

void Inbox::inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
void Inbox::dec_ref() noexcept {
    if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
}

bool Inbox::post(ReadyNode& node) noexcept {
    if (is_of_running_loop()) {
        running_core_or_null()->push_ready(node);
        return true;
    }
    PostedList& posted = state_->posted;
    Ref<Inbox> keep;
    ListLinks* last = posted.last();
    do {
        if (posted.is_closed(last)) return false;
        // Once the node is posted the loop may run it, end and be destroyed.
        if (last == nullptr && !keep) keep = Ref<Inbox>(this);
    } while (!posted.add_behind(last, node));
    if (last == nullptr) wake();
    return true;
}

PostedList& Inbox::posted() noexcept { return state_->posted; }
void Inbox::lock() noexcept { state_->mutex.lock(); }
void Inbox::unlock() noexcept { state_->mutex.unlock(); }

void Inbox::close(ReadyList& left) noexcept {
    state_->posted.close(left);
    std::lock_guard lock(state_->mutex);
    state_->loop = nullptr;
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
