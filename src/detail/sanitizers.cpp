#include "detail/sanitizers.h"

// A sanitizer may be in a program around a library that was built without it.
extern "C" {
[[gnu::weak]] void __asan_init();
[[gnu::weak]] void __hwasan_init();
[[gnu::weak]] void __msan_init();
[[gnu::weak]] void __tsan_init();
}

namespace asyncio::detail {

bool every_block_is_watched() noexcept {
    return __asan_init != nullptr || __hwasan_init != nullptr || __msan_init != nullptr || __tsan_init != nullptr;
}

}  // namespace asyncio::detail
