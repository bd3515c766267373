#pragma once

#include <asyncio/detail/intrusive_list.h>

#include <string>

namespace asyncio::detail {

struct LoopResources;  // the tag of the loop's list of them

/// Something that must end when its loop is closed, such as an open stream. It may have a file descriptor for itself,
/// so that add_reader() and the like must not touch that.
class LoopResource : public ListHook<LoopResources> {
public:
    /// Gives up all that it has of the loop, and leaves the list.
    virtual void loop_is_closing() noexcept = 0;
    virtual std::string repr() const = 0;

protected:
    ~LoopResource() = default;
};

}  // namespace asyncio::detail
