#pragma once

#include <asyncio/detail/intrusive_list.h>

namespace asyncio::detail {

struct LoopServices;  // the tag of the loop's list of them

/// Something that a floor above has once for each loop: `LoopCore::service<Kind>()`. It brings nothing by itself, and
/// ends after all that may use it. Its class has a static member `service_kind`, whose address tells it from others,
/// and a constructor that takes the loop.
class LoopService : public ListHook<LoopServices> {
public:
    /// Gives up all that it has of the loop, and leaves the list.
    virtual void loop_is_closing() noexcept = 0;
    /// There are none left: gives one up, of what can best be spared, which is closed by the next pass. False if it has
    /// nothing to spare.
    virtual bool gives_up_a_descriptor() noexcept { return false; }
    const char* kind() const noexcept { return kind_; }

protected:
    explicit LoopService(const char* kind) noexcept : kind_(kind) {}
    ~LoopService() = default;

private:
    const char* kind_;
};

}  // namespace asyncio::detail
