#pragma once

#include <asyncio/core/object_name.h>
#include <asyncio/sync/barrier.h>
#include <asyncio/sync/condition.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/queue_base.h>
#include <asyncio/sync/semaphore.h>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio {
namespace detail {

/// That part of an object by whose address those who wait know it; null: it is none of these.
template <class... Kinds, class Object>
constexpr const void* waited_part_of(const Object& object) noexcept {
    const void* part = nullptr;
    auto look = [&]<class Kind>(const Kind*) {
        if constexpr (std::derived_from<Object, Kind>) part = static_cast<const Kind*>(&object);
    };
    (look(static_cast<const Kinds*>(nullptr)), ...);
    return part;
}
template <class Object, class... Kinds>
concept OneOf = (std::derived_from<Object, Kinds> || ...);

}  // namespace detail

/// A `Lock`, `Event`, `Condition`, `Semaphore`, `BoundedSemaphore`, `Barrier` or queue with a name, by which all that
/// tells what a task waits for calls it.
///
///     asyncio::Named<asyncio::Queue<Job>> jobs("jobs", 8);   // the rest is what Queue<Job> takes
///
/// It is an `Object`, and goes wherever one goes. Made and destroyed in any thread. New here.
template <class Object>
class Named : public Object {
    static_assert(detail::OneOf<Object, Lock, Event, Condition, Semaphore, Barrier, detail::bases::QueueBase>,
                  "Named<...> is of a Lock, an Event, a Condition, a Semaphore, a Barrier or a queue");

public:
    /// The arguments behind the name are the object's own. Throws what they throw.
    template <class... Arguments>
    explicit Named(std::string_view name, Arguments&&... arguments)
        : Object(std::forward<Arguments>(arguments)...),
          name_(name, detail::waited_part_of<Lock, Event, Condition, Semaphore, Barrier, detail::bases::QueueBase>(
                          static_cast<const Object&>(*this))) {}
    /// As it was given; for as long as the object lives.
    const std::string& name() const noexcept { return name_.text(); }

private:
    detail::ObjectName name_;
};

}  // namespace asyncio
