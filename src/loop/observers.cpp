#include "loop/observers.h"

namespace asyncio::detail {

void Observers::add(Observer& observer) noexcept {
    all_.push_back(observer);
    loop_.set_instrument(this);
}

void Observers::remove(Observer& observer) noexcept {
    observer.unlink();
    if (all_.empty()) loop_.set_instrument(nullptr);
}

void Observers::made_ready(ReadyNode& node) noexcept {
    for (Observer& observer : all_) observer.made_ready(node);
}

void Observers::became_due(ReadyNode& node, TimePoint when) noexcept {
    for (Observer& observer : all_) observer.became_due(node, when);
}

void Observers::before_step(ReadyNode& node) noexcept {
    for (Observer& observer : all_) observer.before_step(node);
}

void Observers::after_step() noexcept {
    for (Observer& observer : all_) observer.after_step();
}

void Observers::loop_is_closing() noexcept {
    while (!all_.empty()) all_.pop_front().loop_is_closing();
    loop_.set_instrument(nullptr);
    delete this;
}

}  // namespace asyncio::detail
