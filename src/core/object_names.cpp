#include "core/object_names.h"

#include "detail/fork_aware.h"
#include "loop/all_loops.h"

#include <asyncio/core/object_name.h>

namespace asyncio::detail {

namespace {

// A name is made and dropped under it, so that no child is forked while the list is half changed.
std::mutex& names_mutex() noexcept { return fork_safe_mutex_of(&all_loops); }

}  // namespace

ObjectName::ObjectName(std::string_view name, const void* object) : object_(object), text_(name) {
    std::lock_guard guard(names_mutex());
    next_ = all_loops.first_name();
    if (next_ != nullptr) next_->previous_ = this;
    all_loops.set_first_name(this);
}

ObjectName::~ObjectName() {
    std::lock_guard guard(names_mutex());
    if (next_ != nullptr) next_->previous_ = previous_;
    if (previous_ != nullptr) {
        previous_->next_ = next_;
    } else {
        all_loops.set_first_name(next_);
    }
}

namespace {

constinit thread_local bool may_wait_for_names = true;

}  // namespace

StandingNames::StandingNames() noexcept { may_wait_for_names = false; }
StandingNames::~StandingNames() { may_wait_for_names = true; }

std::string name_of_object(const void* object) {
    std::unique_lock lock(names_mutex(), std::defer_lock);
    if (!may_wait_for_names) {
        if (!lock.try_lock()) return {};
    } else {
        lock.lock();
    }
    const ObjectName* name = all_loops.first_name();
    while (name != nullptr && name->object_ != object) name = name->next_;
    return name != nullptr ? name->text_ : std::string();
}

}  // namespace asyncio::detail
