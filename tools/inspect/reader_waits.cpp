#include "reader.h"

#include <algorithm>
#include <utility>

namespace inspect {

using asyncio::inspect::FutureCallback;

namespace {

constexpr int deepest_future = 16;  // of futures that stand for others
constexpr std::uint32_t no_timer = 0xffffffff;
constexpr unsigned char is_inside = 0x80;

bool has_line(WaitKind kind) {
    return kind == WaitKind::lock || kind == WaitKind::event || kind == WaitKind::condition ||
           kind == WaitKind::semaphore || kind == WaitKind::barrier || kind == WaitKind::queue;
}

}  // namespace

Reader::Outcome Reader::read_wait(Task& task, Address waiter) {
    Object object;
    if (!object.read(memory_, waiter, waiter_bytes_) || object.pointer(is_.waiter.task) != task.address)
        return Outcome::torn;
    if (object.get<unsigned char>(is_.waiter.state) != 0) return Outcome::good;  // it is over: the task is ready
    auto kind = static_cast<WaitKind>((object.get<unsigned char>(is_.waiter.kind) >> is_.waiter.kind_shift) &
                                      is_.waiter.kind_mask);
    if (kind > WaitKind::foreign) return Outcome::torn;
    task.state = State::waiting;
    task.wait.kind = kind;
    task.wait.waiter = waiter;
    unsigned char subject_at = object.get<unsigned char>(is_.waiter.subject_at);
    Address place = waiter + Address(subject_at & ~is_inside) * sizeof(Address);
    if ((subject_at & is_inside) != 0) {
        task.wait.subject = place;
    } else if (subject_at != 0 && !memory_.read(place, task.wait.subject)) {
        return Outcome::torn;
    }
    if (kind == WaitKind::file_descriptor || kind == WaitKind::process)
        task.wait.fd = object.get<std::int32_t>(is_.waiter.fd);
    if (kind == WaitKind::file_descriptor)
        task.wait.doing = (object.get<unsigned char>(is_.waiter.kind) >> is_.doing.shift) & is_.doing.mask & 3;
    Links line = {};
    if (has_line(kind) && is_.waiter.line != asyncio::inspect::unknown && read_links(waiter + is_.waiter.line, line)) {
        task.wait.is_gone = line.previous == 0;
    }
    if (!task.wait.is_gone) read_subject(task);
    return Outcome::good;
}

/// What the object has to say that it waits for.
void Reader::read_subject(Task& task) {
    Wait& wait = task.wait;
    if (wait.subject == 0) return;
    if (auto name = names_.find(wait.subject); name != names_.end()) wait.name = name->second;
    unsigned char byte = 0;
    if (wait.kind == WaitKind::future && memory_.read(wait.subject + is_.future.state, byte) && byte != 0) {
        task.state = State::ready;  // its turn is queued
    }
    if (wait.kind == WaitKind::future && memory_.read(wait.subject + is_.future.kind, byte)) {
        if (byte == 1) wait.kind = WaitKind::task;
        if (byte == 2) wait.kind = WaitKind::gathering;
    }
    if (wait.kind == WaitKind::lock) {
        Address taken_at = 0;
        memory_.read(wait.subject + is_.lock.owner, wait.owner);
        if (wait.owner != 0 && memory_.read(wait.subject + is_.lock.taken_at, taken_at))
            wait.taken_at = place(0, taken_at);
    }
    if (wait.kind == WaitKind::semaphore) memory_.read(wait.subject + is_.semaphore.value, wait.numbers[0]);
    if (wait.kind == WaitKind::queue) {
        memory_.read(wait.subject + is_.queue.size, wait.numbers[0]);
        memory_.read(wait.subject + is_.queue.maxsize, wait.numbers[1]);
        memory_.read(wait.subject + is_.queue.unfinished, wait.numbers[2]);
    }
}

/// When the task's own timer is due, if it has one: it knows its place in the loop's heap.
void Reader::read_timer(Task& task, const Object& object) {
    std::uint32_t index = object.get<std::uint32_t>(is_.task.timer_index);
    if (index == no_timer) return;
    Address loop = snapshot_.loops[task.loop].address;
    Address timers[2];
    if (!memory_.read(loop + is_.loop.timers, timers)) return;
    Address entry = timers[0] + Address(index) * is_.timer.bytes;
    std::int64_t when = 0;
    Address node = 0;
    if (entry >= timers[1] || !memory_.read(entry + is_.timer.when, when) ||
        !memory_.read(entry + is_.timer.node, node))
        return;
    if (node != task.address + is_.task.node) return;
    std::int64_t now = 0;
    Address clock = 0;
    memory_.read(loop + is_.loop.last_time, now);
    bool is_real = memory_.read(loop + is_.loop.clock, clock) && clock == loop + is_.loop.monotonic;
    if (is_real && memory_.monotonic_nanoseconds() != 0) now = memory_.monotonic_nanoseconds();
    task.wait.seconds_left = (static_cast<double>(when) - static_cast<double>(now)) / 1e9;
}

void Reader::read_deadlines() {
    using LeadsTo = FutureCallback::LeadsTo;
    const FutureCallback* end = is_.callbacks + is_.callback_count;
    const FutureCallback* deadline =
        std::find_if(is_.callbacks, end, [](const FutureCallback& one) { return one.leads_to == LeadsTo::deadline; });
    if (deadline == end || is_.timer.bytes == 0) return;
    for (std::size_t i = first_loop_; i < snapshot_.loops.size(); ++i) {
        Address timers[2];
        if (!memory_.read(snapshot_.loops[i].address + is_.loop.timers, timers)) continue;
        std::size_t count = 0;
        for (Address entry = timers[0]; entry < timers[1] && ++count < limits_.tasks && !is_late();
             entry += is_.timer.bytes) {
            Address node = 0;
            Address run = 0;
            Address task = 0;
            if (!memory_.read(entry + is_.timer.node, node) || !memory_.read(node + is_.node.run, run)) continue;
            if (run != deadline->run || !memory_.read(node + deadline->at[0], task)) continue;
            if (auto place = tasks_.find(task); place != tasks_.end()) note_deadline(place->second);
        }
    }
}

/// And those whom it waits for, which are cancelled with it.
void Reader::note_deadline(std::size_t task) {
    std::vector<std::size_t> found = {task};
    while (!found.empty()) {
        Task& one = snapshot_.tasks[found.back()];
        found.pop_back();
        if (std::exchange(one.wait.has_deadline, true)) continue;
        found.insert(found.end(), one.awaits.begin(), one.awaits.end());
    }
}

// Who waits for whom: by the callbacks of each task.

void Reader::read_edges() {
    std::vector<Task>& tasks = snapshot_.tasks;
    for (std::size_t i = first_task_; i < tasks.size(); ++i) {
        tasks_.emplace(tasks[i].address, i);
        identities_.emplace(tasks[i].identity, i);
    }
    for (std::size_t i = first_task_; i < tasks.size(); ++i) {
        Address callbacks = 0;
        if (memory_.read(tasks[i].address + is_.future.callbacks, callbacks)) add_awaiters(i, callbacks, 0);
        if (tasks[i].wait.kind == WaitKind::future) look_behind_future(i);
        if (tasks[i].wait.kind == WaitKind::lock) find_holder(tasks[i]);
    }
    for (std::size_t i = first_task_; i < tasks.size(); ++i) {
        for (std::vector<std::size_t>* list : {&tasks[i].awaits, &tasks[i].awaited_by}) {
            std::sort(list->begin(), list->end());
            list->erase(std::unique(list->begin(), list->end()), list->end());
        }
    }
}

/// `callbacks` is the newest of a future's, each of which points to the one before.
void Reader::add_awaiters(std::size_t awaited, Address callbacks, int depth) {
    for (Address node = callbacks; node != 0;) {
        if (++callbacks_ > limits_.callbacks || (callbacks_ % 4096 == 0 && is_late())) return;
        Address run = 0;
        if (!memory_.read(node + is_.node.run, run)) return;
        for (std::size_t i = 0; i < is_.callback_count; ++i) {
            if (is_.callbacks[i].run == run) add_awaiter(awaited, node, is_.callbacks[i], depth);
        }
        Address next = 0;
        if (!memory_.read(node + is_.list.next, next) || next == node) return;
        node = next;
    }
}

void Reader::add_awaiter(std::size_t awaited, Address of_callback, const FutureCallback& callback, int depth) {
    using LeadsTo = FutureCallback::LeadsTo;
    if (callback.leads_to == LeadsTo::task) return add_edge(of_callback - callback.at[0], awaited);
    if (callback.leads_to == LeadsTo::inner) return;
    Address object = 0;
    Address found = 0;
    if (!memory_.read(of_callback + callback.at[0], object) || object == 0) return;
    if (callback.leads_to == LeadsTo::waiters) {
        Links links = {};
        Address head = object + callback.at[1];
        Address node = read_links(head, links) ? links.next : head;
        while (node != head && node != 0 && ++callbacks_ < limits_.callbacks) {
            add_edge(node - is_.task.node, awaited);
            node = read_links(node, links) ? links.next : head;
        }
        return;
    }
    if (callback.at[1] == asyncio::inspect::unknown) {
        found = object;
    } else if (!memory_.read(object + callback.at[1], found) || found == 0) {
        return;
    }
    if (callback.leads_to == LeadsTo::task_of) add_edge(found, awaited);
    if (callback.leads_to == LeadsTo::task_of_waiter && memory_.read(found + is_.waiter.task, object))
        add_edge(object, awaited);
    if (callback.leads_to == LeadsTo::future && depth < deepest_future) {
        Address callbacks = 0;
        if (memory_.read(found + is_.future.callbacks, callbacks)) add_awaiters(awaited, callbacks, depth + 1);
    }
}

void Reader::add_edge(Address awaiter, std::size_t awaited) {
    auto place = tasks_.find(awaiter);
    if (place == tasks_.end()) return;
    snapshot_.tasks[place->second].awaits.push_back(awaited);
    snapshot_.tasks[awaited].awaited_by.push_back(place->second);
}

/// It may wait for a future that stands for a task: shield()'s. Or for one that a call on another thread ends.
void Reader::look_behind_future(std::size_t awaiter) {
    Address node = 0;
    Wait& wait = snapshot_.tasks[awaiter].wait;
    if (!memory_.read(wait.subject + is_.future.callbacks, node)) return;
    while (node != 0 && ++callbacks_ <= limits_.callbacks) {
        Address run = 0;
        Address shield = 0;
        Address inner = 0;
        if (!memory_.read(node + is_.node.run, run)) return;
        for (std::size_t i = 0; i < is_.callback_count; ++i) {
            const FutureCallback& callback = is_.callbacks[i];
            if (callback.run != run) continue;
            if (callback.leads_to == FutureCallback::LeadsTo::thread) wait.kind = WaitKind::thread;
            if (callback.leads_to != FutureCallback::LeadsTo::inner) continue;
            bool is_there = memory_.read(node + callback.at[0], shield) && memory_.read(shield + callback.at[1], inner);
            auto place = is_there ? tasks_.find(inner) : tasks_.end();
            if (place != tasks_.end()) add_edge(snapshot_.tasks[awaiter].address, place->second);
        }
        if (!memory_.read(node + is_.list.next, node)) return;
    }
}

void Reader::find_holder(Task& task) {
    auto place = identities_.find(task.wait.owner);
    if (task.wait.owner != 0 && place != identities_.end()) task.wait.holder = place->second;
}

}  // namespace inspect
