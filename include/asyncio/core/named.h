#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace asyncio {
namespace detail {

/// The name of an object, for as long as this lives. All of them are in a list, by which whoever tells of an object
/// finds its name: so an object without one pays nothing.
class ObjectName {
public:
    ObjectName(std::string_view name, const void* object);
    ~ObjectName();
    ObjectName(const ObjectName&) = delete;
    ObjectName& operator=(const ObjectName&) = delete;
    const std::string& text() const noexcept { return text_; }

private:
    friend struct InspectLayout;
    friend std::string name_of_object(const void* object);
    ObjectName* next_ = nullptr;
    ObjectName* previous_ = nullptr;
    const void* object_;
    std::string text_;
};

}  // namespace detail

/// A lock, queue, event or the like with a name, by which all that tells what a task waits for calls it.
///
///     asyncio::Named<asyncio::Queue<Job>> jobs("jobs", 8);   // the rest is what Queue<Job> takes
///
/// It is an `Object`, and goes wherever one goes. Made and destroyed in any thread. New here.
template <class Object>
class Named : public Object {
public:
    template <class... Arguments>
    explicit Named(std::string_view name, Arguments&&... arguments)
        : Object(std::forward<Arguments>(arguments)...), name_(name, static_cast<const Object*>(this)) {}
    const std::string& name() const noexcept { return name_.text(); }

private:
    detail::ObjectName name_;
};

}  // namespace asyncio
