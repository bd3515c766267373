#include "draw.h"

#include <algorithm>
#include <cstdio>

namespace inspect {

std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string fit(const std::string& text, std::size_t width) {
    std::size_t size = width_of(text);
    if (size <= width) return text + std::string(width - size, ' ');
    std::size_t bytes = 0;
    for (std::size_t seen = 0; bytes < text.size(); ++bytes) {
        if ((text[bytes] & 0xc0) != 0x80 && ++seen == width) break;
    }
    return text.substr(0, bytes) + "~";
}

const Place* place_of(const Task& task) {
    for (std::size_t i = task.stack.size(); i-- > 0;) {
        if (!task.stack[i]->function.starts_with("asyncio::")) return task.stack[i];
    }
    return task.stack.empty() ? nullptr : task.stack.back();
}

std::string text_of_place(const Place* place) {
    return place == nullptr || place->file.empty() ? "" : place->file + ":" + std::to_string(place->line);
}

std::string text_of_stack(const Task& task) {
    std::string text;
    std::size_t cut_at = task.hidden_frames > 0 ? task.stack.size() / 2 : task.stack.size();
    for (std::size_t i = 0; i < task.stack.size(); ++i) {
        if (i == cut_at) text += " -> (" + std::to_string(task.hidden_frames) + " more)";
        text += (i > 0 ? " -> " : "") + task.stack[i]->function;
    }
    return text;
}

std::string text_of_loop(const Snapshot& snapshot, const Loop& loop) {
    char address[40];
    std::snprintf(address, sizeof address, "loop at 0x%llx", static_cast<unsigned long long>(loop.address));
    std::string text = address;
    std::size_t count = loop.end_of_tasks - loop.first_task;
    text += ", " + std::to_string(count) + (count == 1 ? " task" : " tasks");
    if (!loop.is_whole) text += " or more";
    if (loop.is_closed) return text + ", closed";
    if (!loop.is_running) return text + ", not running";
    text += ", in thread " + std::to_string(loop.thread.number);
    if (!loop.thread.name.empty()) text += " (" + loop.thread.name + ")";
    switch (loop.thread.state) {
        case 'R':
            return text + ", which runs";
        case 'S':
        case 'D':
            // For what is outside, or in the middle of a step, which blocks it.
            for (std::size_t i = loop.first_task; i < loop.end_of_tasks; ++i) {
                const Task& task = snapshot.tasks[i];
                if (task.state == State::running) return text + ", which a step of '" + task.name + "' blocks";
            }
            return text + ", which waits";
        case 'T':
        case 't':
            return text + ", which is stopped";
        default:
            return text;
    }
}

std::string text_of_circle(const Snapshot& snapshot, const std::vector<std::size_t>& circle) {
    std::string text;
    for (std::size_t task : circle) text += "'" + snapshot.tasks[task].name + "' -> ";
    return text + "'" + snapshot.tasks[circle.front()].name + "'";
}

namespace {

std::string last_component(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string text_of_state(const Task& task) {
    std::string text = name_of(task.state);
    return task.cancels > 0 ? text + ", cancelling" : text;
}

struct Column {
    const char* title;
    std::size_t most;
    std::size_t width;
};

std::string text_of_awaiters(const Snapshot& snapshot, const Task& task) {
    if (task.awaited_by.empty()) return {};
    std::string text = snapshot.tasks[task.awaited_by.front()].name;
    return task.awaited_by.size() == 1 ? text : text + " +" + std::to_string(task.awaited_by.size() - 1);
}

void add_loop(std::string& text, const Snapshot& snapshot, const Loop& loop, const Memory* memory) {
    std::array<Column, 5> columns = {
        {{"TASK", 24, 0}, {"STATE", 17, 0}, {"COROUTINES", 48, 0}, {"AT", 28, 0}, {"AWAITED BY", 20, 0}}};
    auto cells = [&](const Task& task) {
        return std::array<std::string, 5>{task.name, text_of_state(task), text_of_stack(task),
                                          last_component(text_of_place(place_of(task))),
                                          text_of_awaiters(snapshot, task)};
    };
    text += text_of_loop(snapshot, loop) + "\n";
    if (loop.first_task == loop.end_of_tasks) return;
    for (Column& column : columns) column.width = std::string(column.title).size();
    for (std::size_t i = loop.first_task; i < loop.end_of_tasks; ++i) {
        auto row = cells(snapshot.tasks[i]);
        for (std::size_t c = 0; c < row.size(); ++c) {
            columns[c].width = std::min(std::max(columns[c].width, width_of(row[c])), columns[c].most);
        }
    }
    text += " ";
    for (const Column& column : columns) text += " " + fit(column.title, column.width);
    text += " WAITS FOR\n";
    for (std::size_t i = loop.first_task; i < loop.end_of_tasks; ++i) {
        const Task& task = snapshot.tasks[i];
        auto row = cells(task);
        std::string line = task.state == State::running ? "*" : " ";
        for (std::size_t c = 0; c < row.size(); ++c) line += " " + fit(row[c], columns[c].width);
        line += " " + text_of_wait(snapshot, task, memory);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
}

}  // namespace

std::string draw_table(const Snapshot& snapshot, const Memory* memory) {
    std::string text;
    if (snapshot.loops.empty()) text += snapshot.title + " has no loop\n";
    for (const Loop& loop : snapshot.loops) add_loop(text, snapshot, loop, memory);
    for (const auto& circle : find_circles(snapshot)) text += "deadlock: " + text_of_circle(snapshot, circle) + "\n";
    return text;
}

}  // namespace inspect
