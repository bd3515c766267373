// A process that lies to asyncio-inspect: it has a description, and behind it what no program has. It says "ready".
//     forger HOW
#include "core/description.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using asyncio::inspect::Description;
using asyncio::inspect::FutureCallback;

struct Links {
    Links* next;
    Links* previous;
};
struct Node {
    Links links;
    void* run;
};
struct Place {
    const char* file;
    const char* function;
    std::uint32_t line;
};
struct Link {
    void* parent;
};
struct Frame {
    void* task;
    Link* link;
    const Place* function;
    const Place* await_at;
};
struct Waiter {
    void* task;
    unsigned char state, kind, subject_at;
    int fd;
    void* subject;
    Links line;
};
struct Loop {
    Loop* next;
    std::int32_t thread;
    unsigned char is_running, is_closed;
    std::uint64_t passes;
    void* current;
    Links tasks;
    std::int64_t last_time;
    void* timers[2];
    void* clock;
    int monotonic;
};
struct Text {
    const char* begin;
    std::uint64_t size;
    std::uint64_t identity;
};
struct Timer {
    std::int64_t when;
    void* node;
};
struct Task {
    Loop* loop;
    unsigned char state, kind;
    Node* callbacks;
    Links links;
    Node node;
    std::uint32_t timer;
    std::uint16_t cancels;
    unsigned char phase;
    std::uintptr_t name;
    Frame* innermost;
    Waiter* waiter;
};

constexpr int count = 10;

/// What would be true, if it were a program.
struct World {
    Loop loop = {};
    Task tasks[count] = {};
    Frame frames[count][3] = {};
    Link links[count][3] = {};
    Waiter waiters[count] = {};
    Node callbacks[count] = {};
    Text texts[count] = {};
    Timer timers[count] = {};
    Place place = {"file.cpp", "asyncio::Coro<> name(int)", 42};
    Loop* first_loop = nullptr;
};
World world;

void describe(Description& to) {
    std::memcpy(to.magic, "asyncio", 8);
    to.version = asyncio::inspect::version;
    to.size = sizeof to;
    to.pointer_bytes = sizeof(void*);
    to.is_little_endian = 1;
    to.strings = asyncio::inspect::StringLayout::pointer_and_size;
    to.callback_count = 6;
    for (int i = 0; i < to.callback_count; ++i) {
        to.callbacks[i] = {static_cast<std::uint64_t>(i + 1), static_cast<FutureCallback::LeadsTo>(i), {24, 0}, 0};
    }
    to.callbacks[0].at[0] = offsetof(Task, node);
    to.loops = reinterpret_cast<std::uintptr_t>(&world.first_loop);
    to.library_version = reinterpret_cast<std::uintptr_t>("9.9.9");
    to.loop = {offsetof(Loop, next),   offsetof(Loop, thread),  offsetof(Loop, is_running), offsetof(Loop, is_closed),
               offsetof(Loop, passes), offsetof(Loop, current), offsetof(Loop, tasks),      offsetof(Loop, last_time),
               offsetof(Loop, timers), offsetof(Loop, clock),   offsetof(Loop, monotonic)};
    to.timer = {sizeof(Timer), offsetof(Timer, when), offsetof(Timer, node)};
    to.list = {0, 8};
    to.future = {offsetof(Task, loop), offsetof(Task, state), offsetof(Task, kind), offsetof(Task, callbacks)};
    to.node = {offsetof(Node, run)};
    to.task = {offsetof(Task, links),     offsetof(Task, node),  offsetof(Task, timer), offsetof(Task, cancels),
               offsetof(Task, phase),     offsetof(Task, name),  offsetof(Text, begin), offsetof(Text, identity),
               offsetof(Task, innermost), offsetof(Task, waiter)};
    to.frame = {offsetof(Frame, task), offsetof(Frame, link), offsetof(Frame, function), offsetof(Frame, await_at), 0};
    to.place = {offsetof(Place, file), offsetof(Place, function), offsetof(Place, line)};
    to.waiter = {offsetof(Waiter, task),       offsetof(Waiter, state), offsetof(Waiter, kind), 0, 0xff,
                 offsetof(Waiter, subject_at), offsetof(Waiter, fd),    offsetof(Waiter, line)};
    to.lock = {0, 8};
    to.semaphore = {0};
    to.queue = {0, 8, 16};
}

void make_world() {
    world.first_loop = &world.loop;
    world.loop.is_running = 1;
    world.loop.clock = &world.loop.monotonic;
    world.loop.timers[0] = world.timers;
    world.loop.timers[1] = world.timers + count;
    Links* last = &world.loop.tasks;
    for (int i = 0; i < count; ++i) {
        Task& task = world.tasks[i];
        task.loop = &world.loop;
        task.kind = 1;
        task.links.previous = last;
        last->next = &task.links;
        last = &task.links;
        task.timer = static_cast<std::uint32_t>(i);
        world.timers[i] = {1, &task.node};
        task.phase = 2;
        world.texts[i] = {"name", 4, 2 * static_cast<std::uint64_t>(i) + 2};
        task.name = reinterpret_cast<std::uintptr_t>(&world.texts[i]);
        task.innermost = &world.frames[i][0];
        for (int depth = 0; depth < 3; ++depth) {
            world.links[i][depth].parent = depth < 2 ? &world.frames[i][depth + 1] : nullptr;
            world.frames[i][depth] = {&task, depth < 2 ? &world.links[i][depth] : nullptr, &world.place, &world.place};
        }
        task.waiter = &world.waiters[i];
        world.waiters[i] = {
            &task, 0, static_cast<unsigned char>(i), offsetof(Waiter, subject) / 8, 0, &world.tasks[(i + 1) % count],
            {}};
        world.callbacks[i] = {{nullptr, nullptr}, reinterpret_cast<void*>(1)};
        task.callbacks = &world.tasks[(i + 1) % count].node;
        task.node.run = reinterpret_cast<void*>(1);
    }
    last->next = &world.loop.tasks;
    world.loop.tasks.previous = last;
}

void* map(std::size_t bytes) {
    void* found = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) std::abort();
    return found;
}

/// So many members, of which each pair shares what can be shared.
void endless_list() {
    constexpr std::size_t members = 20'000'000;
    auto* links = static_cast<Links*>(map((members + 1000) * sizeof(Links))) + 500;
    for (std::size_t i = 0; i < members; ++i) links[i] = {&links[i + 1], &links[i - 1]};
    links[0].previous = &world.loop.tasks;
    world.loop.tasks.next = &links[0];
}

void endless_tasks() {
    constexpr std::size_t members = 5'000'000;
    auto* tasks = static_cast<Task*>(map((members + 1) * sizeof(Task)));
    for (std::size_t i = 0; i < members; ++i) {
        tasks[i] = world.tasks[0];
        tasks[i].innermost = nullptr;
        tasks[i].phase = 0;
        tasks[i].callbacks = &tasks[i].node;
        tasks[i].links = {&tasks[i + 1].links, &tasks[i - 1].links};
    }
    tasks[0].links.previous = &world.loop.tasks;
    world.loop.tasks.next = &tasks[0].links;
}

void endless_stack() {
    constexpr std::size_t frames = 10'000'000;
    auto* frame = static_cast<Frame*>(map((frames + 1) * sizeof(Frame)));
    auto* link = static_cast<Link*>(map((frames + 1) * sizeof(Link)));
    for (std::size_t i = 0; i < frames; ++i) {
        link[i].parent = &frame[i + 1];
        frame[i] = {&world.tasks[0], &link[i], &world.place, &world.place};
    }
    world.tasks[0].innermost = frame;
}

void long_texts() {
    constexpr std::size_t size = 64 << 20;
    char* text = static_cast<char*>(map(size));
    std::memset(text, '(', size);
    world.place = {text, text, 0xffffffff};
    for (Text& one : world.texts) one = {text, UINT64_MAX, 2};
}

/// A page that never comes.
void stuck_page() {
    auto* page = static_cast<Frame*>(map(4096));
    int fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
    uffdio_api api = {UFFD_API, 0, 0};
    uffdio_register range = {{reinterpret_cast<std::uintptr_t>(page), 4096}, UFFDIO_REGISTER_MODE_MISSING, 0};
    if (fd < 0 || ::ioctl(fd, UFFDIO_API, &api) != 0 || ::ioctl(fd, UFFDIO_REGISTER, &range) != 0) {
        std::puts("not here");
        std::exit(0);
    }
    world.tasks[0].innermost = page;
}

/// Something in it changes all the time; says so first.
void scribble(unsigned seed) {
    std::puts("ready");
    std::fflush(stdout);
    std::mt19937 random(seed);
    auto* bytes = reinterpret_cast<unsigned char*>(&world);
    auto* words = reinterpret_cast<void**>(&world);
    for (;;) {
        make_world();
        for (int i = 0; i < 5; ++i) {
            bytes[random() % sizeof world] = static_cast<unsigned char>(random());
            words[random() % (sizeof world / sizeof(void*))] = words[random() % (sizeof world / sizeof(void*))];
            words[random() % (sizeof world / sizeof(void*))] = bytes + random() % sizeof world / 8 * 8;
        }
    }
}

}  // namespace

extern "C" {
__attribute__((used, visibility("hidden"))) Description asyncio_inspect_description;
}
asm(".pushsection .note.asyncio, \"a\", %note\n"
    ".balign 4\n.long 8\n.long 4\n.long 1\n.asciz \"asyncio\"\n.long asyncio_inspect_description - .\n"
    ".popsection\n");

int main(int argc, char** argv) {
    std::string how = argc > 1 ? argv[1] : "true";
    Description& is = asyncio_inspect_description;
    describe(is);
    make_world();
    Loop& loop = world.loop;
    Task& task = world.tasks[0];
    std::map<std::string, std::function<void()>> lies =
        {
            {"true", [] {}},
            {"older",
             [&] {  // behind what it had lies something else
        is.size = offsetof(Description, name);
        std::memset(&is.name, 0x7e, sizeof is.name);
             }},
            {"no magic", [&] { is.magic[0] = 'A'; }},
            {"other version", [&] { is.version = 7; }},
            {"other machine", [&] { is.pointer_bytes = 4; }},
            {"huge offsets", [&] { std::memset(&is.loop, 0xfe, sizeof is - offsetof(Description, loop)); }},
            {"too many callbacks", [&] { is.callback_count = 255; }},
            {"loops nowhere", [&] { is.loops = 0xdead000; }},
            {"loop at the end of memory", [&] { world.first_loop = reinterpret_cast<Loop*>(UINTPTR_MAX - 7); }},
            {"loops in a circle", [&] { loop.next = &loop; }},
            {"list in a circle",
             [&] {
        world.tasks[count - 1].links.next = &task.links;
             }},
                                                 {"list to itself",
                                                  [&] {
        task.links = {&task.links, &task.links};
                                                  }},
        {"list to nowhere", [&] { loop.tasks.next = reinterpret_cast<Links*>(1); }}, {"endless list", endless_list},
        {"endless tasks", endless_tasks},
        {"frame that awaits itself", [&] { world.links[0][0].parent = &world.frames[0][0]; }},
        {"endless stack", endless_stack}, {"long texts", long_texts},
        {"callback to itself", [&] { task.callbacks->links.next = &task.callbacks->links; }},
        {"callbacks in a circle",
         [&] {
        world.tasks[1].node.links.next = &world.tasks[2].node.links;
        world.tasks[2].node.links.next = &world.tasks[1].node.links;
         }},
        {"unknown kinds",
         [] {
        for (Waiter& waiter : world.waiters) waiter.kind = 200;
         }},
        {"unknown phases",
         [] {
        for (Task& one : world.tasks) one.phase = 99;
         }},
        {"subjects nowhere",
         [] {
        for (Waiter& waiter : world.waiters) waiter.subject = reinterpret_cast<void*>(UINTPTR_MAX);
         }},
        {"timers nowhere",
         [&] {
        loop.timers[0] = nullptr;
        loop.timers[1] = reinterpret_cast<void*>(UINTPTR_MAX);
         }},
        {"stuck page", stuck_page},
        };
    if (how.starts_with("scribble ")) scribble(static_cast<unsigned>(std::atoi(how.c_str() + 9)));
    if (how == "list") {
        for (const auto& lie : lies) std::puts(lie.first.c_str());
        return 0;
    }
    lies.at(how)();
    std::puts("ready");
    std::fflush(stdout);
    char byte;
    return ::read(0, &byte, 1) == 1 ? 0 : 1;
}
