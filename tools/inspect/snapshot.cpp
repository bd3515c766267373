#include "snapshot.h"

#include <algorithm>
#include <cstdio>

namespace inspect {

const char* name_of(State state) {
    switch (state) {
        case State::fresh:
            return "new";
        case State::running:
            return "runs";
        case State::ready:
            return "ready";
        case State::waiting:
            return "waits";
        default:
            return "?";
    }
}

const char* name_of(WaitKind kind) {
    static constexpr const char* names[] = {
        "nothing",   "future",    "task",    "gather", "sleep",  "group",           "several", "lock",   "event",
        "condition", "semaphore", "barrier", "queue",  "server", "file descriptor", "process", "thread", "foreign"};
    auto index = static_cast<std::size_t>(kind);
    return index < std::size(names) ? names[index] : "?";
}

namespace {

std::string seconds(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", value > 0 ? value : 0.0);
    return std::string(text) + " s";
}

std::string counted(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string quoted(const std::string& name) { return "'" + name + "'"; }

/// The names of the first few.
std::string names(const Snapshot& snapshot, const std::vector<std::size_t>& tasks) {
    constexpr std::size_t shown = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, tasks.size()); ++i) {
        text += (i > 0 ? ", " : "") + quoted(snapshot.tasks[tasks[i]].name);
    }
    if (tasks.size() > shown) text += " and " + std::to_string(tasks.size() - shown) + " more";
    return text;
}

std::string with_address(const char* type, Address address) {
    char text[32];
    std::snprintf(text, sizeof text, " at 0x%llx", static_cast<unsigned long long>(address));
    return std::string(type) + text;
}

/// The same of what the program may have given a name.
std::string with_address(const char* type, const Wait& wait) {
    return with_address((type + (wait.name.empty() ? "" : " " + quoted(wait.name))).c_str(), wait.subject);
}

std::string text_of_lock(const Snapshot& snapshot, const Wait& wait) {
    std::string text = with_address("Lock", wait);
    if (wait.owner == 0) return text + ", unlocked: its turn is due";
    std::string holder = wait.holder ? quoted(snapshot.tasks[*wait.holder].name) : "a task that is over";
    text += " that " + holder + " holds";
    if (wait.taken_at != nullptr && !wait.taken_at->file.empty()) {
        text += ", taken at " + wait.taken_at->file + ":" + std::to_string(wait.taken_at->line);
    }
    return text;
}

std::string text_of_queue(const Wait& wait) {
    std::string text = with_address("Queue", wait) + ", items:" + std::to_string(wait.numbers[0]);
    if (wait.numbers[1] > 0) text += "/" + std::to_string(wait.numbers[1]);
    return text + ", unfinished:" + std::to_string(wait.numbers[2]);
}

std::string text_of_descriptor(const Wait& wait, const Memory* memory) {
    std::string text = "file descriptor " + std::to_string(wait.fd);
    std::string what = memory != nullptr && wait.fd >= 0 ? memory->descriptor(wait.fd) : "";
    static constexpr const char* doings[] = {"", ", to read", ", to write", ", until it is closed"};
    return text + (what.empty() ? "" : " (" + what + ")") + doings[wait.doing];
}

std::string text_without_time(const Snapshot& snapshot, const Task& task, const Memory* memory) {
    const Wait& wait = task.wait;
    std::string whom = task.awaits.empty() ? "" : ": " + names(snapshot, task.awaits);
    switch (wait.kind) {
        case WaitKind::task:
            return task.awaits.empty() ? with_address("Task", wait.subject) : "task " + names(snapshot, task.awaits);
        case WaitKind::future:
            return with_address("Future", wait.subject) +
                   (whom.empty() ? "" : ", which shields " + names(snapshot, task.awaits));
        case WaitKind::gathering:
            return "gather of " + counted(task.awaits.size(), "task") + whom;
        case WaitKind::sleep:
            return "sleep";
        case WaitKind::group:
            return with_address("TaskGroup", wait.subject) + " of " + counted(task.awaits.size(), "task") + whom;
        case WaitKind::several:
            return "several futures" + (whom.empty() ? "" : " of " + counted(task.awaits.size(), "task") + whom);
        case WaitKind::lock:
            return text_of_lock(snapshot, wait);
        case WaitKind::semaphore:
            return with_address("Semaphore", wait) + ", value:" + std::to_string(wait.numbers[0]);
        case WaitKind::queue:
            return text_of_queue(wait);
        case WaitKind::event:
            return with_address("Event", wait);
        case WaitKind::condition:
            return with_address("Condition", wait);
        case WaitKind::barrier:
            return with_address("Barrier", wait);
        case WaitKind::server:
            return "the end of a server";
        case WaitKind::file_descriptor:
            return text_of_descriptor(wait, memory);
        case WaitKind::process:
            return "the end of process " + std::to_string(wait.fd);
        case WaitKind::thread:
            return "a call on another thread";
        case WaitKind::foreign:
            return "an awaitable of another library";
        default:
            return "something";
    }
}

}  // namespace

std::string text_of_wait(const Snapshot& snapshot, const Task& task, const Memory* memory) {
    if (task.state != State::waiting) return {};
    if (task.wait.is_gone) return std::string("a ") + name_of(task.wait.kind) + " that was destroyed: for ever";
    std::string text = text_without_time(snapshot, task, memory);
    if (task.wait.seconds_left)
        text += (task.wait.kind == WaitKind::sleep ? ", " : ", for at most ") + seconds(*task.wait.seconds_left);
    if (task.wait.seconds_left && task.wait.kind == WaitKind::sleep) text += " left";
    return text;
}

namespace {

/// Whom it cannot go on without: one at least of them has to end, or to let go of a lock.
std::vector<std::size_t> needs(const Snapshot& snapshot, std::size_t index) {
    const Task& task = snapshot.tasks[index];
    std::vector<std::size_t> found;
    if (task.state != State::waiting || task.wait.has_deadline) return found;
    if (task.wait.holder) found.push_back(*task.wait.holder);
    bool awaits =
        task.wait.kind == WaitKind::task || task.wait.kind == WaitKind::gathering || task.wait.kind == WaitKind::group;
    if (awaits) found.insert(found.end(), task.awaits.begin(), task.awaits.end());
    return found;
}

}  // namespace

std::vector<std::vector<std::size_t>> find_circles(const Snapshot& snapshot) {
    enum Colour : unsigned char { white, grey, black };
    std::vector<unsigned char> colour(snapshot.tasks.size(), white);
    std::vector<std::vector<std::size_t>> circles;
    struct Step {
        std::size_t task;
        std::vector<std::size_t> needs;
        std::size_t next = 0;
    };
    std::vector<Step> path;
    for (std::size_t start = 0; start < snapshot.tasks.size(); ++start) {
        if (colour[start] != white) continue;
        colour[start] = grey;
        path.push_back({start, needs(snapshot, start)});
        while (!path.empty()) {
            Step& step = path.back();
            if (step.next == step.needs.size()) {
                colour[step.task] = black;
                path.pop_back();
                continue;
            }
            std::size_t to = step.needs[step.next++];
            if (colour[to] == white) {
                colour[to] = grey;
                path.push_back({to, needs(snapshot, to)});
            } else if (colour[to] == grey && circles.size() < 1000) {
                auto begin = std::find_if(path.begin(), path.end(), [&](const Step& one) { return one.task == to; });
                std::vector<std::size_t> circle;
                for (; begin != path.end(); ++begin) circle.push_back(begin->task);
                circles.push_back(std::move(circle));
            }
        }
    }
    return circles;
}

}  // namespace inspect
