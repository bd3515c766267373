#include "top.h"

#include "draw.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <tuple>

namespace inspect {

void History::add(const Snapshot& snapshot, double now) {
    double before = now_;
    now_ = now;
    for (const Task& task : snapshot.tasks) {
        if (task.state != State::waiting) continue;
        auto [place, is_new] = tasks_.try_emplace(task.identity, Seen{task.wait.waiter, now, now});
        bool is_other = place->second.waiter != task.wait.waiter || place->second.look != before;
        if (!is_new && is_other) place->second = {task.wait.waiter, now, now};
        place->second.look = now;
    }
    std::erase_if(tasks_, [&](const auto& entry) { return entry.second.look != now; });
    for (const Loop& loop : snapshot.loops) {
        auto [place, is_new] =
            loops_.try_emplace(loop.address, Progress{loop.passes, loop.thread.cpu_seconds, -1, -1, now});
        Progress& progress = place->second;
        if (!is_new && now > progress.look) {
            progress.passes_per_second = static_cast<double>(loop.passes - progress.passes) / (now - progress.look);
            progress.cpu_share = (loop.thread.cpu_seconds - progress.cpu_seconds) / (now - progress.look);
        }
        progress.passes = loop.passes;
        progress.cpu_seconds = loop.thread.cpu_seconds;
        progress.look = now;
    }
}

double History::waited(const Task& task) const {
    auto place = tasks_.find(task.identity);
    return task.state == State::waiting && place != tasks_.end() ? now_ - place->second.since : 0;
}

double History::passes_per_second(const Loop& loop) const {
    auto place = loops_.find(loop.address);
    return place != loops_.end() ? place->second.passes_per_second : -1;
}

double History::cpu_share(const Loop& loop) const {
    auto place = loops_.find(loop.address);
    return place != loops_.end() ? place->second.cpu_share : -1;
}

namespace {

/// Tasks that are alike: of one loop, at one place, for one kind of thing.
struct Group {
    std::size_t count = 0;
    std::size_t example = 0;
    double longest = 0;
};
using GroupKey = std::tuple<State, std::vector<const Place*>, WaitKind>;

std::string seconds_text(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
    return text;
}

std::string headline(const Snapshot& snapshot, const Loop& loop, const History& history) {
    std::string text = text_of_loop(snapshot, loop);
    char numbers[64];
    if (history.passes_per_second(loop) >= 0) {
        std::snprintf(numbers, sizeof numbers, ", %.0f passes/s, %.0f %% CPU", history.passes_per_second(loop),
                      100 * history.cpu_share(loop));
        text += numbers;
    }
    return text;
}

std::string what_for(const Snapshot& snapshot, const Group& group, const Memory* memory) {
    const Task& task = snapshot.tasks[group.example];
    if (group.count == 1 || task.state != State::waiting) return text_of_wait(snapshot, task, memory);
    return std::string(name_of(task.wait.kind)) + ", as " + task.name + ": " + text_of_wait(snapshot, task, memory);
}

}  // namespace

std::string draw_top(const Snapshot& snapshot, const History& history, const Memory* memory, std::size_t lines,
                     std::size_t width) {
    std::map<GroupKey, Group> groups;
    for (std::size_t i = 0; i < snapshot.tasks.size(); ++i) {
        const Task& task = snapshot.tasks[i];
        WaitKind kind = task.state == State::waiting ? task.wait.kind : WaitKind::nothing;
        Group& group = groups[{task.state, task.stack, kind}];
        if (group.count++ == 0) group.example = i;
        group.longest = std::max(group.longest, history.waited(task));
    }
    std::vector<const Group*> order;
    for (const auto& entry : groups) order.push_back(&entry.second);
    auto runs = [&](const Group* group) { return snapshot.tasks[group->example].state == State::running; };
    std::sort(order.begin(), order.end(), [&](const Group* a, const Group* b) {
        if (runs(a) != runs(b)) return runs(a);
        return a->count != b->count ? a->count > b->count : a->example < b->example;
    });
    auto cut = [&](const std::string& text) {
        std::string line = fit(text, width);
        line.erase(line.find_last_not_of(' ') + 1);
        return line + "\n";
    };
    auto counted = [](std::size_t count, const char* what) {
        return ", " + std::to_string(count) + what + (count == 1 ? "" : "s");
    };
    std::string text =
        cut(snapshot.title + counted(snapshot.tasks.size(), " task") + counted(snapshot.loops.size(), " loop"));
    for (std::size_t i = 0; i < std::min<std::size_t>(snapshot.loops.size(), 8); ++i) {
        text += cut("  " + headline(snapshot, snapshot.loops[i], history));
    }
    for (const auto& circle : find_circles(snapshot)) text += cut("deadlock: " + text_of_circle(snapshot, circle));
    text += cut("  COUNT " + fit("STATE", 6) + " " + fit("LONGEST", 8) + " " + fit("COROUTINES", 40) + " " +
                fit("AT", 24) + " WAITS FOR");
    for (std::size_t i = 0; i < std::min(order.size(), lines); ++i) {
        const Group& group = *order[i];
        const Task& task = snapshot.tasks[group.example];
        std::string at = text_of_place(place_of(task));
        char count[24];
        std::snprintf(count, sizeof count, "%7zu ", group.count);
        std::string longest = task.state == State::waiting ? seconds_text(group.longest) : "";
        text += cut(count + fit(name_of(task.state), 6) + " " + fit(longest, 8) + " " + fit(text_of_stack(task), 40) +
                    " " + fit(at.substr(at.rfind('/') + 1), 24) + " " + what_for(snapshot, group, memory));
    }
    if (order.size() > lines) text += cut("        and " + std::to_string(order.size() - lines) + " more kinds");
    return text;
}

namespace {

volatile std::sig_atomic_t is_interrupted = 0;

/// The terminal as `top` wants it; as it was, when this dies.
class Screen {
public:
    Screen() {
        struct sigaction action = {};
        action.sa_handler = [](int) { is_interrupted = 1; };
        for (int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
        if (!is_terminal_) return;
        if (::tcgetattr(STDIN_FILENO, &before_) == 0) {
            termios raw = before_;
            raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
            has_keys_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
        }
        std::fputs("\x1b[?1049h\x1b[?25l", stdout);
    }
    Screen(const Screen&) = delete;
    ~Screen() {
        if (!is_terminal_) return;
        std::fputs("\x1b[?25h\x1b[?1049l", stdout);
        std::fflush(stdout);
        if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }

    std::pair<std::size_t, std::size_t> size() const {
        winsize size = {};
        if (!is_terminal_ || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return {40, 160};
        return {size.ws_row, size.ws_col};
    }
    void show(const std::string& text) const {
        std::string out = is_terminal_ ? "\x1b[H" : "";
        for (char c : text) out += c == '\n' && is_terminal_ ? "\x1b[K\n" : std::string(1, c);
        if (is_terminal_) out += "\x1b[J";
        std::fwrite(out.data(), 1, out.size(), stdout);
        std::fflush(stdout);
    }
    /// False: the user has had enough.
    bool wait(int seconds) const {
        pollfd keys = {STDIN_FILENO, POLLIN, 0};
        if (::poll(&keys, has_keys_ ? 1 : 0, seconds * 1000) > 0) {
            char key = 'q';
            if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') return false;
        }
        return is_interrupted == 0;
    }

private:
    bool is_terminal_ = ::isatty(STDOUT_FILENO) != 0;
    bool has_keys_ = false;
    termios before_ = {};
};

std::string look(Memory& memory, const Limits& limits, History& history, std::size_t lines, std::size_t width) {
    Snapshot snapshot = take_snapshot(memory, limits);
    double now = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    history.add(snapshot, now);
    return draw_top(snapshot, history, &memory, lines, width);
}

}  // namespace

int run_top(Memory& memory, const TopOptions& options, const Limits& limits) {
    History history;
    if (options.once || !memory.is_alive()) {
        std::string text = look(memory, limits, history, options.lines != 0 ? options.lines : 40, 240);
        std::fwrite(text.data(), 1, text.size(), stdout);
        return 0;
    }
    Screen screen;
    bool has_seen = false;
    do {
        auto [rows, columns] = screen.size();
        std::size_t lines = options.lines != 0 ? options.lines : rows > 16 ? rows - 14 : 4;
        std::string text;
        try {
            text = look(memory, limits, history, lines, columns > 20 ? columns - 1 : 20);
            has_seen = true;
        } catch (const Ended&) {
            throw;
        } catch (const Refusal& refusal) {  // it runs another program now, or is about to
            if (!has_seen) throw;
            text = refusal.what() + std::string("\n");
        }
        screen.show(text);
    } while (screen.wait(options.interval));
    return 0;
}

}  // namespace inspect
