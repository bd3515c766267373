#include "draw.h"
#include "top.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace inspect;

constexpr const char* usage = R"(usage: asyncio-inspect COMMAND [OPTIONS] PID|CORE
Shows the tasks of a running program that has asyncio for C++ in it, or of its core file. The program does not take
part, is not stopped, and needs no debug information.

  ps        a line for each task: name, state, coroutines, line, what it waits for and who would wake it
  pstree    who awaits whom, as a tree
  top       like tasks together, the most first, again each second; q or Ctrl-C ends it
  graph     who awaits whom, for Graphviz: asyncio-inspect graph PID | dot -Tsvg > tasks.svg

  --json    all of it as JSON (ps, pstree, graph)
  --dot     the same as the command graph
  --once    one picture, and the end (top)
  --patience SECONDS
            for how long to look at most, if the program is large or its memory does not come (30)
  --interval SECONDS, --lines N
            how often, and how much (top)
)";

struct Options {
    std::string command;
    std::string target;
    bool as_json = false;
    bool as_dot = false;
    TopOptions top;
    Limits limits;
};

[[noreturn]] void refuse(const std::string& what) {
    std::fprintf(stderr, "asyncio-inspect: %s\n%s", what.c_str(), usage);
    std::exit(2);
}

template <class T>
T number_of(std::string_view text, std::string_view option) {
    T value = {};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
        refuse(std::string(option) + " wants a number, not '" + clean(std::string(text)) + "'");
    }
    return value;
}

Options parse(const std::vector<std::string_view>& arguments) {
    Options options;
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string_view argument = arguments[i];
        auto value = [&] { return ++i < arguments.size() ? arguments[i] : std::string_view(); };
        if (argument == "--json") {
            options.as_json = true;
        } else if (argument == "--dot") {
            options.as_dot = true;
        } else if (argument == "--once") {
            options.top.once = true;
        } else if (argument == "--interval") {
            options.top.interval = number_of<int>(value(), argument);
        } else if (argument == "--lines") {
            options.top.lines = number_of<std::size_t>(value(), argument);
        } else if (argument == "--patience") {
            options.limits.seconds = number_of<int>(value(), argument);
        } else if (argument == "--help" || argument == "-h") {
            std::fputs(usage, stdout);
            std::exit(0);
        } else if (argument.starts_with("-") && argument.size() > 1) {
            refuse("there is no option " + clean(std::string(argument)));
        } else {
            names.push_back(argument);
        }
    }
    if (names.size() != 2) refuse("it takes a command, and a process or core file");
    options.command = names[0];
    options.target = names[1];
    bool is_known = false;
    for (const char* command : {"ps", "pstree", "top", "graph"}) is_known |= options.command == command;
    if (!is_known) refuse("there is no command '" + clean(options.command) + "'");
    return options;
}

std::unique_ptr<Memory> open(const std::string& target) {
    int pid = 0;
    auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), pid);
    bool is_number = error == std::errc() && end == target.data() + target.size() && pid > 0;
    return is_number ? open_process(pid) : open_core(target);
}

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
        throw Refusal("the output could not be written");
}

int look(const Options& options) {
    std::unique_ptr<Memory> memory = open(options.target);
    if (options.command == "top") return run_top(*memory, options.top, options.limits);
    Snapshot snapshot = take_snapshot(*memory, options.limits);
    if (options.as_json) {
        print(draw_json(snapshot, memory.get()));
    } else if (options.as_dot || options.command == "graph") {
        print(draw_dot(snapshot, memory.get()));
    } else {
        print(options.command == "ps" ? draw_table(snapshot, memory.get()) : draw_tree(snapshot, memory.get()));
        for (const std::string& note : snapshot.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse({argv + 1, argv + argc});
    try {
        return look(options);
    } catch (const Refusal& refusal) {
        std::fprintf(stderr, "asyncio-inspect: %s\n", refusal.what());
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "asyncio-inspect: not enough memory\n");
    }
    return 1;
}
