#pragma once

#include <string>

namespace asyncio::detail {

/// Of a `Named` object; else empty.
std::string name_of_object(const void* object);

/// While it lives this thread passes over all names if another one is just changing them: a debugger has made that one
/// stand still.
class StandingNames {
public:
    StandingNames() noexcept;
    ~StandingNames();
    StandingNames(const StandingNames&) = delete;
    StandingNames& operator=(const StandingNames&) = delete;
};

}  // namespace asyncio::detail
