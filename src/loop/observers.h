#pragma once

#include "loop/loop_core.h"

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/loop/instrument.h>

namespace asyncio::detail {

struct LoopObservers;  // the tag of a loop's list of them

/// One of several that look on while a loop runs. Who comes in the middle of a step is told of its end only.
class Observer : public Instrument, public ListHook<LoopObservers> {
public:
    /// It is in the list no longer.
    virtual void loop_is_closing() noexcept = 0;

protected:
    ~Observer() = default;
};

/// Those of a loop: its instrument, while there are any.
class Observers final : public LoopService, public Instrument, public Pooled {
public:
    static constexpr char service_kind[] = "Observers";
    explicit Observers(LoopCore& loop) noexcept : LoopService(service_kind), loop_(loop) {}

    void add(Observer& observer) noexcept;
    void remove(Observer& observer) noexcept;

    void made_ready(ReadyNode& node) noexcept override;
    void became_due(ReadyNode& node, TimePoint when) noexcept override;
    void before_step(ReadyNode& node) noexcept override;
    void after_step() noexcept override;
    void loop_is_closing() noexcept override;

private:
    ~Observers() = default;

    LoopCore& loop_;
    IntrusiveList<Observer, LoopObservers> all_;
};

}  // namespace asyncio::detail
