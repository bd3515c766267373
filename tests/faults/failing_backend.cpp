#include "faults/failing_backend.h"

#include <asyncio/errors/exceptions.h>

#include <cerrno>
#include <map>
#include <optional>

#include "faults/faults.h"
#include "support/wrapped_backend.h"

namespace faults {

namespace {

using namespace asyncio;

class FailingBackend final : public support::WrappedBackend {
public:
    bool submit(IoOperation& operation) noexcept override {
        if (!is_due(Kind::backend_call)) return WrappedBackend::submit(operation);
        operation.result = -ENOMEM;
        return true;
    }
    bool collect(IoOperation& operation) noexcept override {
        if (!is_due(Kind::backend_call)) return WrappedBackend::collect(operation);
        WrappedBackend::cancel(operation);
        operation.result = -ENOMEM;
        return true;
    }
    void watch(int fd, bool readable, bool writable) override {
        Wanted& before = wanted_[fd];
        bool is_more = (readable && !before.readable) || (writable && !before.writable);
        if (is_more && is_due(Kind::backend_call)) throw OSError(ENOMEM);  // no kernel refuses to watch for less
        WrappedBackend::watch(fd, readable, writable);
        before = {readable, writable};
    }
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) override {
        if (is_due(Kind::backend_call)) throw OSError(ENOMEM);
        WrappedBackend::wait(timeout, events);
    }

private:
    struct Wanted {
        bool readable = false;
        bool writable = false;
    };
    std::map<int, Wanted> wanted_;
};

std::optional<FailingBackend> the_backend;

}  // namespace

IoBackend& failing_backend() {
    Pause pause;
    return the_backend.emplace();
}

void failing_backend_is_over() noexcept { the_backend.reset(); }

}  // namespace faults
