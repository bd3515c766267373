#pragma once

#include <string>
#include <string_view>

namespace asyncio::detail {

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

}  // namespace asyncio::detail
