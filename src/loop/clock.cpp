#include <asyncio/loop/clock.h>

namespace asyncio {

bool Clock::jump_to(TimePoint) noexcept { return false; }

}  // namespace asyncio
