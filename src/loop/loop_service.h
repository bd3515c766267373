#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/loop/loop_resource.h>

namespace asyncio::detail {

struct LoopServices;  // the tag of the loop's list of them

/// Something that a floor above has once for each loop: `LoopCore::service<Kind>()`. Its class has a static member
/// `service_kind`, whose address tells it from others, and a constructor that takes the loop.
class LoopService : public LoopResource, public ListHook<LoopServices> {
public:
    const char* kind() const noexcept { return kind_; }

protected:
    explicit LoopService(const char* kind) noexcept : kind_(kind) {}
    ~LoopService() = default;

private:
    const char* kind_;
};

}  // namespace asyncio::detail
