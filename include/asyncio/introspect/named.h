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
        : Object(std::forward<Arguments>(arguments)...), name_(name, static_cast<const Object*>(this)) {}
    /// As it was given; for as long as the object lives.
    const std::string& name() const noexcept { return name_.text(); }

private:
    detail::ObjectName name_;
};

}  // namespace asyncio
