// The same for what goes through liburing, whose functions give the error itself, negative.
#include <cerrno>

#include "faults/faults.h"

#ifdef FAULTS_IO_URING
#include <liburing.h>

namespace {

/// Zero if it is not to fail.
int error_due(int best, int second, bool interrupted) noexcept {
    using faults::Kind;
    if (best != 0 && faults::is_due(Kind::system_call)) return -best;
    if (second != 0 && faults::is_due(Kind::system_call_again)) return -second;
    if (interrupted && faults::is_due(Kind::interruption)) return -EINTR;
    return 0;
}

/// The same for the calls that submit, and those of them that wait.
int submit_error_due(bool waits) noexcept {
    if (waits && faults::is_due(faults::Kind::waiting)) return -ENOTRECOVERABLE;
    return faults::is_due(faults::Kind::refusal) ? -EAGAIN : 0;
}

}  // namespace

#define FAILING_CALL(name, parameters, arguments, ...)        \
    extern "C" int __real_##name parameters;                  \
    extern "C" int __wrap_##name parameters {                 \
        if (int error = error_due(__VA_ARGS__)) return error; \
        return __real_##name arguments;                       \
    }

FAILING_CALL(io_uring_queue_init_params, (unsigned entries, io_uring* ring, io_uring_params* params),
             (entries, ring, params), ENOMEM, EPERM, false)
FAILING_CALL(io_uring_register_buf_ring, (io_uring * ring, io_uring_buf_reg* registration, unsigned flags),
             (ring, registration, flags), ENOMEM, EINVAL, false)
#define FAILING_SUBMIT(name, parameters, arguments, waits)                                  \
    extern "C" int __real_##name parameters;                                                \
    extern "C" int __wrap_##name parameters {                                               \
        if (int error = submit_error_due(waits)) return error;                              \
        bool once = !faults::is_for_ever();                                                 \
        if (int error = error_due(once ? EAGAIN : 0, once ? EBUSY : 0, once)) return error; \
        return __real_##name arguments;                                                     \
    }

// The kernel has no memory for a request, or too many outcomes. For ever only if that is what the sweep is about.
FAILING_SUBMIT(io_uring_submit, (io_uring * ring), (ring), false)
FAILING_SUBMIT(io_uring_submit_and_get_events, (io_uring * ring), (ring), true)
FAILING_SUBMIT(io_uring_submit_and_wait, (io_uring * ring, unsigned count), (ring, count), true)
FAILING_SUBMIT(io_uring_submit_and_wait_timeout,
               (io_uring * ring, io_uring_cqe** cqe, unsigned count, __kernel_timespec* limit, sigset_t* mask),
               (ring, cqe, count, limit, mask), true)

#endif
