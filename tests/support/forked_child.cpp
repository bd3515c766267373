// A child of fork() looks for no leaks at its exit(): another thread of the parent may have held AddressSanitizer's
// memory at that moment, and the child would wait for it for ever. (What the child holds is the parent's anyway.)

#include <unistd.h>

namespace {
const pid_t the_process = ::getpid();
}

extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return ::getpid() != the_process ? 1 : 0; }
