#pragma once

#include "snapshot.h"

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

namespace inspect {

/// Reads the loops and tasks that one image describes. What it reads may change meanwhile, and may be lies: every
/// object is copied once, and says whose it is; where that does not fit, it is copied again, a few times.
class Reader {
public:
    Reader(Memory& memory, const Image& image, const Limits& limits, Snapshot& snapshot);
    void read_loops();
    /// Once all loops are read.
    void read_edges();
    /// Which tasks a time-out will cancel. Costs a look at each timer: where there may be a circle.
    void read_deadlines();

private:
    using Clock = std::chrono::steady_clock;
    struct Links {
        Address next;
        Address previous;
    };

    void read_loop(Address address, const std::vector<Thread>& threads);
    bool read_links(Address at, Links& links);
    /// All members of the list; false: not to its end.
    bool walk(Address head, std::vector<Address>& members);
    bool step_back(Address head, std::vector<Address>& members, Address& next);
    void read_task(Address address, std::size_t loop);
    enum class Outcome { good, over, torn };
    Outcome try_task(Task& task);
    Outcome read_stack(Task& task, Address innermost);
    Outcome read_wait(Task& task, Address waiter);
    void read_subject(Task& task);
    void read_timer(Task& task, const Object& object);
    void read_name(Task& task, Address word);
    std::string read_string(Address at);
    void read_object_names();
    void note_deadline(std::size_t task);
    const Place* place(Address function, Address await_at);

    void add_awaiters(std::size_t awaited, Address callbacks, int depth);
    void add_awaiter(std::size_t awaited, Address of_callback, const asyncio::inspect::FutureCallback& callback,
                     int depth);
    void add_edge(Address awaiter, std::size_t awaited);
    void look_behind_future(std::size_t awaiter);
    void find_holder(Task& task);
    bool is_late() const { return Clock::now() > deadline_; }

    Memory& memory_;
    const Image& image_;
    const Description& is_;
    Limits limits_;
    Snapshot& snapshot_;
    std::size_t task_bytes_ = 0;
    std::size_t frame_bytes_ = 0;
    std::size_t waiter_bytes_ = 0;
    std::size_t first_task_;
    std::size_t first_loop_;
    std::unordered_map<Address, const Place*> places_;
    std::unordered_map<Address, std::string> texts_;
    std::unordered_map<Address, std::string> names_;  // of locks, queues and the like
    std::unordered_map<Address, std::size_t> tasks_;
    std::unordered_map<std::uint64_t, std::size_t> identities_;
    std::size_t changing_ = 0;
    std::size_t repairs_ = 0;
    std::size_t frames_ = 0;
    std::size_t callbacks_ = 0;
    Clock::time_point deadline_;
};

}  // namespace inspect
