#pragma once

#include <asyncio/detail/ref.h>
#include <asyncio/loop/scheduling.h>

namespace asyncio::detail {

class PostedList;

/// The door through which other threads reach a loop. Outlives the loop, for those who knock too late.
class Inbox {
public:
    void inc_ref() noexcept;
    void dec_ref() noexcept;

    /// Queues the node on the loop, behind all that are ready, and wakes the loop if it may sleep. From the loop's own
    /// thread that is what `schedule()` does. False when the loop is closed: then nothing happens to the node.
    bool post(ReadyNode& node) noexcept;
    /// Whether the loop runs, and in this thread.
    bool is_of_running_loop() const noexcept;

    /// Lets the loop look again whether it has reason to sleep.
    void wake() noexcept;
    /// Whether the loop's time is virtual. False when it is closed.
    bool has_virtual_time() const noexcept;

private:
    friend class LoopCore;
    struct State;
    static Ref<Inbox> make(LoopCore& loop);
    Inbox();
    ~Inbox();
    PostedList& posted() noexcept;
    // Around a fork: nobody else may be in the door then.
    void lock() noexcept;
    void unlock() noexcept;
    void close(ReadyList& left) noexcept;
    State* state_;
    unsigned references_ = 1;
};

Ref<Inbox> inbox_of(LoopCore& loop) noexcept;

/// What a thread wants done on a loop's thread. Owns itself while it is under way: it is delivered, in the loop's turn,
/// or dropped, since the loop was closed before.
class Message : public ReadyNode {
public:
    /// Sends it; drops it at once if the loop is closed.
    static void send(Message* message, Inbox& inbox) noexcept;
    virtual ~Message();
    virtual void deliver() = 0;
    static void run_message(ReadyNode& node);

protected:
    Message() noexcept : ReadyNode(&Message::run_message) {}
};

}  // namespace asyncio::detail
