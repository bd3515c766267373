#pragma once

#include "process/child_settings.h"
#include "process/subprocess_state.h"

#include <asyncio/core/coroutine.h>
#include <asyncio/detail/ref.h>

#include <cstdint>
#include <exception>
#include <memory>

namespace asyncio::detail {

/// Settings that are read at the call; what is wrong with them is thrown where they are asked for, in the coroutine.
class KeptSettings {
public:
    KeptSettings(ChildCommand command, const SubprocessOptions& options, ChildSettings::Streams by_default) noexcept;
    ChildSettings& get() const {
        if (error_) std::rethrow_exception(error_);
        return *settings_;
    }

private:
    std::unique_ptr<ChildSettings> settings_;
    std::exception_ptr error_;
};

/// Starts it, and waits until its protocol has been told. If that is cancelled the child is killed, and its end waited
/// for.
Coro<Ref<SubprocessState>> start_child(Ref<BaseProtocol> protocol, KeptSettings settings);
/// Waits until it has ended, whoever cancels that: for one that was killed.
Coro<> end_of(Ref<SubprocessState> child);
/// The same as `start_child()`, with streams on its pipes.
Coro<subprocess::Process> start_process(KeptSettings settings, std::int64_t limit);

}  // namespace asyncio::detail
