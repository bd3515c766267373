#include "draw.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::size_t deepest = 200;  // the lines of a deep tree are as long as it is deep

/// Draws a tree without recursion: each task's own part once, and where it comes again that it is above.
class Tree {
public:
    Tree(const Snapshot& snapshot, const Memory* memory)
        : snapshot_(snapshot), memory_(memory), is_drawn_(snapshot.tasks.size(), false) {}

    std::string draw() {
        for (std::size_t i = 0; i < snapshot_.tasks.size(); ++i) {
            if (snapshot_.tasks[i].awaited_by.empty()) draw_root(i);
        }
        for (std::size_t i = 0; i < snapshot_.tasks.size(); ++i) {  // circles to which nothing leads
            if (!is_drawn_[i]) draw_root(i);
        }
        return std::move(text_);
    }

private:
    struct Node {
        std::size_t task;
        std::size_t depth;
        bool is_last;
    };

    void draw_root(std::size_t task) {
        std::vector<Node> left = {{task, 0, true}};
        std::vector<bool> is_last;  // of the nodes above
        while (!left.empty()) {
            Node node = left.back();
            left.pop_back();
            is_last.resize(node.depth);
            draw_task(node, is_last, left);
        }
    }

    void draw_task(const Node& node, std::vector<bool>& is_last, std::vector<Node>& left) {
        const Task& task = snapshot_.tasks[node.task];
        bool was_drawn = is_drawn_[node.task];
        line(is_last, node.is_last, "(T) " + task.name + (was_drawn ? ", as above" : ""));
        if (was_drawn) return;
        is_drawn_[node.task] = true;
        is_last.push_back(node.is_last);
        for (std::size_t i = 0; i < task.stack.size(); ++i) {
            std::string at = text_of_place(task.stack[i]);
            line(is_last, true, " " + task.stack[i]->function + (at.empty() ? "" : " " + at));
            is_last.push_back(true);
            if (task.hidden_frames > 0 && i + 1 == task.stack.size() / 2) {
                line(is_last, true, " (" + std::to_string(task.hidden_frames) + " more)");
                is_last.push_back(true);
            }
        }
        std::string wait = text_of_wait(snapshot_, task, memory_);
        if (task.awaits.empty()) {
            if (!wait.empty()) line(is_last, true, " waits for " + wait);
            return;
        }
        if (is_last.size() > deepest) return line(is_last, true, " (more below)");
        for (std::size_t i = task.awaits.size(); i-- > 0;) {
            left.push_back({task.awaits[i], is_last.size(), i + 1 == task.awaits.size()});
        }
    }

    void line(const std::vector<bool>& is_last, bool this_is_last, const std::string& label) {
        constexpr std::size_t shown = 2 * deepest;  // of a task that has many coroutines
        std::size_t depth = is_last.size();
        if (depth > shown) text_ += "(" + std::to_string(depth) + ") ";
        for (std::size_t i = depth > shown ? depth - 1 : 0; i < depth; ++i) text_ += is_last[i] ? "    " : "│   ";
        text_ += this_is_last ? "└── " : "├── ";
        text_ += label + "\n";
    }

    const Snapshot& snapshot_;
    const Memory* memory_;
    std::vector<bool> is_drawn_;
    std::string text_;
};

/// As a string of JSON or of Graphviz.
std::string quoted(const std::string& text) {
    std::string found = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') found += '\\';
        found += c;
    }
    return found + "\"";
}

std::string hex(Address address) {
    char text[24];
    std::snprintf(text, sizeof text, "\"0x%llx\"", static_cast<unsigned long long>(address));
    return text;
}

std::string json_of_places(const Task& task) {
    std::string text = "[";
    for (const Place* place : task.stack) {
        text += text.size() > 1 ? ", " : "";
        text += "{\"function\": " + quoted(place->function) + ", \"file\": " + quoted(place->file) +
                ", \"line\": " + std::to_string(place->line) + "}";
    }
    return text + "]";
}

std::string json_of_numbers(const std::vector<std::size_t>& numbers) {
    std::string text = "[";
    for (std::size_t number : numbers) text += (text.size() > 1 ? ", " : "") + std::to_string(number);
    return text + "]";
}

std::string json_of_wait(const Snapshot& snapshot, const Task& task, const Memory* memory) {
    if (task.state != State::waiting) return "null";
    const Wait& wait = task.wait;
    std::string text =
        "{\"kind\": " + quoted(name_of(wait.kind)) + ", \"text\": " + quoted(text_of_wait(snapshot, task, memory));
    if (wait.subject != 0) text += ", \"object\": " + hex(wait.subject);
    if (wait.kind == WaitKind::file_descriptor) {
        static constexpr const char* doings[] = {"null", "\"read\"", "\"write\"", "\"close\""};
        text += ", \"fd\": " + std::to_string(wait.fd) + ", \"to\": " + doings[wait.doing];
    }
    if (wait.kind == WaitKind::process) text += ", \"pid\": " + std::to_string(wait.fd);
    if (wait.seconds_left) {
        char left[48];
        std::snprintf(left, sizeof left, ", \"seconds_left\": %.6f", *wait.seconds_left);
        text += left;
    }
    if (wait.holder) text += ", \"held_by\": " + std::to_string(*wait.holder);
    if (wait.is_gone) text += ", \"destroyed\": true";
    return text + "}";
}

}  // namespace

std::string draw_tree(const Snapshot& snapshot, const Memory* memory) {
    std::string text;
    for (const auto& circle : find_circles(snapshot)) text += "deadlock: " + text_of_circle(snapshot, circle) + "\n";
    if (snapshot.loops.empty()) text += snapshot.title + " has no loop\n";
    return text + Tree(snapshot, memory).draw();
}

std::string draw_dot(const Snapshot& snapshot, const Memory* memory) {
    std::string text = "digraph tasks {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n";
    for (std::size_t i = 0; i < snapshot.tasks.size(); ++i) {
        const Task& task = snapshot.tasks[i];
        std::string wait = text_of_wait(snapshot, task, memory);
        std::string at = text_of_place(place_of(task));
        std::string label = quoted(task.name) + " + \"\\n\" + " + quoted(text_of_stack(task) + "  " + at) +
                            " + \"\\n\" + " + quoted(wait.empty() ? name_of(task.state) : wait);
        text += "  t" + std::to_string(i) + " [label=" + label + (task.state == State::running ? ", style=bold" : "") +
                "];\n";
    }
    for (std::size_t i = 0; i < snapshot.tasks.size(); ++i) {
        const Task& task = snapshot.tasks[i];
        for (std::size_t awaited : task.awaits)
            text += "  t" + std::to_string(i) + " -> t" + std::to_string(awaited) + ";\n";
        if (task.wait.holder && task.state == State::waiting) {
            text += "  t" + std::to_string(i) + " -> t" + std::to_string(*task.wait.holder) +
                    " [style=dashed, label=\"lock\"];\n";
        }
    }
    return text + "}\n";
}

std::string draw_json(const Snapshot& snapshot, const Memory* memory) {
    std::string text = "{\"format\": 1, \"pid\": " + std::to_string(snapshot.pid) + ", \"loops\": [";
    for (std::size_t i = 0; i < snapshot.loops.size(); ++i) {
        const Loop& loop = snapshot.loops[i];
        text += (i > 0 ? ",\n  " : "\n  ") + ("{\"address\": " + hex(loop.address)) +
                ", \"thread\": " + std::to_string(loop.thread.number) +
                ", \"thread_name\": " + quoted(loop.thread.name) +
                ", \"running\": " + (loop.is_running ? "true" : "false") +
                ", \"closed\": " + (loop.is_closed ? "true" : "false") +
                ", \"whole\": " + (loop.is_whole ? "true" : "false") + ", \"passes\": " + std::to_string(loop.passes) +
                ", \"first_task\": " + std::to_string(loop.first_task) +
                ", \"tasks\": " + std::to_string(loop.end_of_tasks - loop.first_task) +
                ", \"library\": " + quoted(loop.image->library_version) + "}";
    }
    text += "],\n \"tasks\": [";
    for (std::size_t i = 0; i < snapshot.tasks.size(); ++i) {
        const Task& task = snapshot.tasks[i];
        text += (i > 0 ? ",\n  " : "\n  ") + ("{\"index\": " + std::to_string(i)) +
                ", \"loop\": " + std::to_string(task.loop) + ", \"address\": " + hex(task.address) +
                ", \"name\": " + quoted(task.name) + ", \"state\": " + quoted(name_of(task.state)) +
                ", \"cancelling\": " + std::to_string(task.cancels) + ", \"stack\": " + json_of_places(task) +
                ", \"hidden_frames\": " + std::to_string(task.hidden_frames) +
                ", \"waits_for\": " + json_of_wait(snapshot, task, memory) +
                ", \"awaits\": " + json_of_numbers(task.awaits) +
                ", \"awaited_by\": " + json_of_numbers(task.awaited_by) + "}";
    }
    text += "],\n \"deadlocks\": [";
    bool is_first = true;
    for (const auto& circle : find_circles(snapshot)) {
        text += (is_first ? "" : ", ") + json_of_numbers(circle);
        is_first = false;
    }
    text += "],\n \"notes\": [";
    for (std::size_t i = 0; i < snapshot.notes.size(); ++i) text += (i > 0 ? ", " : "") + quoted(snapshot.notes[i]);
    return text + "]}\n";
}

}  // namespace inspect
