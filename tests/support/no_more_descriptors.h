#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace support {

/// While it lives, no descriptor more can be opened. Not under AddressSanitizer, whose companion
/// UndefinedBehaviorSanitizer needs descriptors itself.
class NoMoreDescriptors {
public:
    NoMoreDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &former_);
        int next = ::dup(0);
        ::close(next);
        rlimit none = {static_cast<rlim_t>(next), former_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &former_); }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

private:
    rlimit former_ = {};
};

}  // namespace support
