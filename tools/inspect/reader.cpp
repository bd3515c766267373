#include "reader.h"

#include "errors/function_name.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace inspect {

namespace {

constexpr std::size_t shown_frames = 100;  // from either end
constexpr unsigned char all_pending = 0;

std::size_t end_of(std::initializer_list<std::size_t> offsets) { return std::max(offsets) + sizeof(Address); }

}  // namespace

Reader::Reader(Memory& memory, const Image& image, const Limits& limits, Snapshot& snapshot)
    : memory_(memory),
      image_(image),
      is_(image.description),
      limits_(limits),
      snapshot_(snapshot),
      first_task_(snapshot.tasks.size()),
      first_loop_(snapshot.loops.size()),
      deadline_(Clock::now() +
                std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limits.seconds))) {
    const auto& future = is_.future;
    const auto& task = is_.task;
    task_bytes_ = end_of({future.loop, future.state, future.kind, future.callbacks, task.timer_index, task.cancels,
                          task.phase, task.name, task.innermost, task.waiter});
    frame_bytes_ = end_of({is_.frame.task, is_.frame.link, is_.frame.function, is_.frame.await_at});
    const auto& waiter = is_.waiter;
    waiter_bytes_ = end_of({waiter.task, waiter.state, waiter.kind, waiter.subject_at, waiter.fd});
}

void Reader::read_loops() {
    std::vector<Address> found;
    Address loop = 0;
    if (!memory_.read(is_.loops, loop)) throw Refusal(snapshot_.title + ": the list of its loops cannot be read");
    while (loop != 0 && found.size() < limits_.loops && std::find(found.begin(), found.end(), loop) == found.end()) {
        found.push_back(loop);
        if (!memory_.read(loop + is_.loop.next, loop)) break;
    }
    read_object_names();
    std::vector<Thread> threads = memory_.threads();
    std::reverse(found.begin(), found.end());
    for (Address one : found) read_loop(one, threads);
}

void Reader::read_loop(Address address, const std::vector<Thread>& threads) {
    Loop loop;
    loop.address = address;
    loop.image = &image_;
    loop.first_task = snapshot_.tasks.size();
    unsigned char is_running = 0;
    unsigned char is_closed = 0;
    std::int32_t thread = 0;
    bool is_there = memory_.read(address + is_.loop.is_running, is_running) &&
                    memory_.read(address + is_.loop.is_closed, is_closed) &&
                    memory_.read(address + is_.loop.passes, loop.passes) &&
                    memory_.read(address + is_.loop.thread, thread);
    if (!is_there) return;
    loop.is_running = is_running != 0;
    loop.is_closed = is_closed != 0;
    loop.thread.number = thread;
    for (const Thread& one : threads) {
        if (one.own_number == thread) loop.thread = one;
    }
    std::vector<Address> members;
    loop.is_whole = walk(address + is_.loop.tasks, members);
    std::size_t index = snapshot_.loops.size();
    snapshot_.loops.push_back(loop);
    for (Address links : members) {
        if (snapshot_.tasks.size() >= limits_.tasks || is_late()) {
            snapshot_.loops[index].is_whole = false;
            break;
        }
        read_task(links - is_.task.links, index);
    }
    snapshot_.loops[index].end_of_tasks = snapshot_.tasks.size();
}

bool Reader::read_links(Address at, Links& links) {
    return memory_.read(at + is_.list.next, links.next) && memory_.read(at + is_.list.previous, links.previous);
}

bool Reader::walk(Address head, std::vector<Address>& members) {
    Links links = {};
    if (!read_links(head, links)) return false;
    Address next = links.next;
    while (next != head) {
        if (members.size() >= limits_.tasks || (members.size() % 1024 == 0 && is_late())) return false;
        Address previous = members.empty() ? head : members.back();
        if (next != 0 && read_links(next, links) && links.previous == previous) {
            members.push_back(next);
            next = links.next;
        } else if (!step_back(head, members, next)) {
            return false;
        }
    }
    return true;
}

/// The list has changed: goes on behind the last member that is still in it.
bool Reader::step_back(Address head, std::vector<Address>& members, Address& next) {
    memory_.forget(next, 2 * sizeof(Address));
    while (++repairs_ <= limits_.repairs) {
        Address last = members.empty() ? head : members.back();
        Address before = members.size() < 2 ? head : members[members.size() - 2];
        memory_.forget(last, 2 * sizeof(Address));
        memory_.forget(before, 2 * sizeof(Address));
        Links of_last = {};
        Links of_before = {};
        if (!read_links(last, of_last)) of_last.next = 0;
        bool is_in_list = members.empty() || (read_links(before, of_before) && of_last.previous == before &&
                                              of_before.next == last && of_last.next != 0);
        if (is_in_list) {
            next = of_last.next;
            return next != 0;
        }
        members.pop_back();
    }
    return false;
}

void Reader::read_task(Address address, std::size_t loop) {
    Task task;
    Outcome outcome = Outcome::torn;
    for (int attempt = 0; attempt < 4 && outcome == Outcome::torn; ++attempt) {
        if (attempt > 0) {
            if (++repairs_ > limits_.repairs || is_late()) break;
            memory_.forget();
        }
        task = Task();
        task.address = address;
        task.loop = loop;
        outcome = try_task(task);
        if (outcome == Outcome::torn && !memory_.is_alive()) break;  // it will not get better
    }
    if (outcome == Outcome::over) return;
    if (outcome == Outcome::torn && task.state != State::running) {
        if (++changing_ > limits_.changing) return;
        task.state = State::changing;
    }
    snapshot_.tasks.push_back(std::move(task));
}

Reader::Outcome Reader::try_task(Task& task) {
    Object object;
    if (!object.read(memory_, task.address, task_bytes_)) return Outcome::torn;
    bool is_task = object.pointer(is_.future.loop) == snapshot_.loops[task.loop].address &&
                   object.get<unsigned char>(is_.future.kind) == 1;
    if (!is_task) return Outcome::torn;
    if (object.get<unsigned char>(is_.future.state) != all_pending) return Outcome::over;
    read_name(task, object.pointer(is_.task.name));
    task.cancels = object.get<std::uint16_t>(is_.task.cancels);
    Address waiter = object.pointer(is_.task.waiter);
    Outcome of_wait = Outcome::good;
    switch (object.get<unsigned char>(is_.task.phase)) {
        case 0:
            task.state = State::fresh;
            break;
        case 1:
            task.state = State::running;
            break;
        case 2:
            task.state = State::ready;
            if (waiter != 0) of_wait = read_wait(task, waiter);
            break;
        default:
            return Outcome::torn;
    }
    Outcome of_stack = read_stack(task, object.pointer(is_.task.innermost));
    if (task.state == State::waiting) read_timer(task, object);
    return of_wait == Outcome::good ? of_stack : of_wait;
}

Reader::Outcome Reader::read_stack(Task& task, Address innermost) {
    Address frame = innermost;
    for (std::size_t depth = 0; frame != 0; ++depth) {
        Object object;
        if (depth >= limits_.frames_of_one || ++frames_ > limits_.frames) return Outcome::torn;
        if (!object.read(memory_, frame, frame_bytes_) || object.pointer(is_.frame.task) != task.address) break;
        Address link = object.pointer(is_.frame.link);
        Address await_at = object.pointer(is_.frame.await_at);
        if ((await_at & 1) != 0) await_at = 0;  // it has failed
        if (task.stack.size() >= 2 * shown_frames) {
            task.stack.erase(task.stack.begin() + shown_frames);
            ++task.hidden_frames;
        }
        task.stack.push_back(place(object.pointer(is_.frame.function), await_at));
        if (link == 0) {
            std::reverse(task.stack.begin(), task.stack.end());
            return Outcome::good;
        }
        if (!memory_.read(link + is_.frame.parent, frame)) break;
    }
    std::reverse(task.stack.begin(), task.stack.end());
    return Outcome::torn;
}

void Reader::read_name(Task& task, Address word) {
    task.identity = word;
    if ((word & 1) != 0) {
        task.name = "Task-" + std::to_string(word >> 1);
    } else if (word != 0) {
        task.name = read_string(word + is_.task.text);
        memory_.read(word + is_.task.identity, task.identity);
        bool has_number = task.name.empty() && (task.identity & 1) != 0;  // in debug mode
        if (has_number) task.name = "Task-" + std::to_string(task.identity >> 1);
    }
    if (task.name.empty()) task.name = "?";
}

void Reader::read_object_names() {
    constexpr std::size_t most = 10'000;
    Address name = 0;
    if (is_.name.newest == 0 || !memory_.read(is_.loops + is_.name.newest, name)) return;
    for (std::size_t count = 0; name != 0 && count < most; ++count) {
        Address object = 0;
        if (!memory_.read(name + is_.name.object, object)) return;
        names_.emplace(object, read_string(name + is_.name.text));
        if (!memory_.read(name + is_.name.next, name)) return;
    }
}

std::string Reader::read_string(Address at) {
    constexpr std::size_t most = 500;
    Address words[3];
    if (!memory_.read(at, words)) return {};
    Address begin = words[0];
    std::uint64_t size = words[1];
    if (is_.strings == asyncio::inspect::StringLayout::short_in_place) {
        bool is_short = (words[0] & 1) == 0;
        begin = is_short ? at + 1 : words[2];
        if (is_short) size = (words[0] & 0xff) >> 1;
    } else if (is_.strings != asyncio::inspect::StringLayout::pointer_and_size) {
        return {};
    }
    std::string text(std::min<std::uint64_t>(size, most), ' ');
    if (!memory_.read(begin, text.data(), text.size())) return {};
    return clean(text) + (size > most ? "..." : "");
}

const Place* Reader::place(Address function, Address await_at) {
    auto known = places_.find(function ^ (await_at << 20 | await_at >> 44));
    if (known != places_.end()) return known->second;
    if (snapshot_.places.size() >= limits_.places) {
        static const Place too_many = {"...", "", 0};
        return &too_many;
    }
    Place fresh;
    Address text = 0;
    if (memory_.read(function + is_.place.function, text)) fresh.function = memory_.text(text);
    fresh.function = fresh.function.empty() ? "?" : clean(asyncio::detail::function_name(fresh.function));
    text = 0;
    if (await_at != 0 && memory_.read(await_at + is_.place.file, text)) {
        fresh.file = memory_.text(text, 500);
        memory_.read(await_at + is_.place.line, fresh.line);
    }
    snapshot_.places.push_back(std::move(fresh));
    const Place* kept = &snapshot_.places.back();
    places_.emplace(function ^ (await_at << 20 | await_at >> 44), kept);
    return kept;
}

namespace {

/// Ends the program when a look takes far too long: reading memory may block for ever, where a page is for a hostile
/// process to give, and nothing but the end gets out of that.
class Watchdog {
public:
    explicit Watchdog(double seconds) {
        static std::once_flag once;
        limit = now() + static_cast<std::int64_t>(seconds * 2) + 1;
        std::call_once(once, [] { std::thread(&Watchdog::watch).detach(); });
    }
    Watchdog(const Watchdog&) = delete;
    ~Watchdog() { limit = INT64_MAX; }

private:
    static std::int64_t now() {
        return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }
    static void watch() {
        while (now() <= limit) std::this_thread::sleep_for(std::chrono::milliseconds(200));
        std::fputs("asyncio-inspect: the memory of the process does not come: gave up\n", stderr);
        std::_Exit(1);
    }
    static inline std::atomic<std::int64_t> limit = INT64_MAX;
};

}  // namespace

Snapshot take_snapshot(Memory& memory, const Limits& limits) {
    Watchdog watchdog(limits.seconds);
    memory.look_again();
    Snapshot snapshot;
    snapshot.title = memory.title();
    snapshot.pid = memory.pid();
    snapshot.images = find_images(memory);
    for (const Image& image : snapshot.images) {
        Reader reader(memory, image, limits, snapshot);
        reader.read_loops();
        reader.read_edges();
        if (!find_circles(snapshot).empty()) reader.read_deadlines();
    }
    memory.forget();
    if (!memory.is_alive() && snapshot.loops.empty()) snapshot.notes.push_back("no loop was there");
    std::size_t changing = static_cast<std::size_t>(std::count_if(
        snapshot.tasks.begin(), snapshot.tasks.end(), [](const Task& task) { return task.state == State::changing; }));
    if (changing > 0) {
        snapshot.notes.push_back(std::to_string(changing) +
                                 (memory.is_alive() ? " tasks changed while they were read, again and again"
                                                    : " tasks are not whole in the core file"));
    }
    for (const Loop& loop : snapshot.loops) {
        if (loop.is_whole) continue;
        snapshot.notes.push_back(memory.is_alive()
                                     ? "the list of a loop's tasks changed too fast, or is too long: not all are shown"
                                     : "the list of a loop's tasks is damaged: not all are shown");
        break;
    }
    return snapshot;
}

}  // namespace inspect
