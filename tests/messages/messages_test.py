#!/usr/bin/env python3
"""Wrong use that cannot compile says what to write instead.

messages_test.py CXX
"""
import concurrent.futures
import pathlib
import subprocess
import sys

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
PRELUDE = """#include <asyncio/asyncio.h>
#include <functional>
#include <memory>
using namespace asyncio;
Coro<int> answer() { co_return 42; }
"""

# What is written, and a part of what the compiler says.
CASES = {
    "void f() { run(answer); }": "run(f()), not run(f)",
    "void f() { auto later = [](int) -> Coro<> { co_return; }; run(later); }": "run(f()), not run(f)",
    "Coro<> add(int& n) { ++n; co_return; }\nvoid f(int n) { create_task(add, n); }": "(a reference: std::ref)",
    "void f() { create_task([](int n) { return n; }, 1); }": "and return a Coro",
    "void f() { create_task(answer, 1); }": "f must take them by value",
    "Coro<> serve(StreamReader reader) { co_return; }\n"
    "Coro<> f() { co_await start_server(serve, \"127.0.0.1\", 0); }": "a StreamReader and a StreamWriter, by value",
    "Coro<> serve(StreamReader& reader, StreamWriter& writer) { co_return; }\n"
    "Coro<> f() { co_await start_unix_server(serve, \"socket\"); }": "a StreamReader and a StreamWriter, by value",
    "Coro<const std::string&> f() { co_return \"text\"; }": "a reference to a temporary, which dies with this line",
    "Coro<const std::string&> f() { co_return std::string(); }": "a reference to a temporary, which dies with this line",
    "Coro<const long&> f(int n) { co_return n; }": "a reference to a temporary, which dies with this line",
    "void f(Future<const std::string&> future) { future.set_result(\"text\"); }": "set_result() would keep a reference",
    "Coro<> f(Task<std::unique_ptr<int>> task) { co_await wait_for(task, 1); }": "wait_for(std::move(future), ...)",
    "struct Pinned { Pinned() = default; Pinned(Pinned&&) = delete; };\n"
    "struct Gives { bool await_ready() { return true; } void await_suspend(std::coroutine_handle<>) {} "
    "Pinned await_resume() { return {}; } };\n"
    "Coro<> f() { co_await Gives(); }": "an object that cannot be moved",
    "int g(std::unique_ptr<int>);\nCoro<> f(std::unique_ptr<int> p) { co_await to_thread(g, p); }":
        "one of these cannot be copied: give it by std::move",
    "#include <stop_token>\nint g(std::stop_token, std::unique_ptr<int>);\n"
    "Coro<> f(std::unique_ptr<int> p) { co_await to_thread(g, p); }":
        "one of these cannot be copied: give it by std::move",
    "int g(std::unique_ptr<int>);\n"
    "Coro<> f(EventLoop& loop, std::unique_ptr<int> p) { co_await loop.run_in_executor(nullptr, g, p); }":
        "one of these cannot be copied: give it by std::move",
    "Coro<> f() { co_await 3; }": "co_await needs a Coro, a Future, a Task or another awaitable object",
}
# What must still be taken.
RIGHT = """
Coro<> add(int& n) { ++n; co_return; }
Coro<> take(std::string) { co_return; }
void serve(StreamReader, StreamWriter) {}
const std::string text;
Coro<const std::string&> refer() { co_return text; }
Coro<const std::string&> refer_by_wrapper() { co_return std::cref(text); }
struct Base {};
struct Derived : Base {};
Coro<const Base&> refer_to_base(const Derived& derived) { co_return derived; }
Coro<std::string> convert(const char* text) { co_return text; }
Coro<std::unique_ptr<Base>> upcast() { co_return std::make_unique<Derived>(); }
Coro<> f(int n) {
    TaskOptions options{.name = "x"};
    create_task(answer(), options);
    create_task(answer, options);
    create_task(answer);
    create_task(asyncio::sleep(0), options);
    create_task(take, "text");
    create_task(add, std::ref(n));
    co_await start_server(serve, {}, 0);
    run(asyncio::sleep(0));
    run(answer(), RunOptions());
}
"""


# g++ 12 destroys a temporary closure twice beside a co_await.
DESTROYED_TWICE = {
    "Coro<> f() { co_await to_thread([p = std::make_unique<int>(5)] { return *p; }); }": "this temporary lambda twice",
    "Coro<> f(std::string s) { co_await to_thread([s] { return s.size(); }); }": "this temporary lambda twice",
}


def compile_text(cxx, text):
    return subprocess.run([cxx, "-std=c++20", "-fsyntax-only", f"-I{INCLUDE}", "-x", "c++", "-"],
                          input=PRELUDE + text, capture_output=True, text=True)


def main(cxx):
    version = subprocess.run([cxx, "-dumpfullversion"], capture_output=True, text=True).stdout
    if version.startswith("12.") and "clang" not in cxx:
        CASES.update(DESTROYED_TWICE)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        right = pool.submit(compile_text, cxx, RIGHT)
        said = dict(zip(CASES, pool.map(lambda text: compile_text(cxx, text), CASES)))
    if right.result().returncode:
        failed += 1
        print(right.result().stderr)
    for text, message in CASES.items():
        if said[text].returncode == 0 or message not in said[text].stderr:
            failed += 1
            print(f"{text}\n    does not say: {message}\n{said[text].stderr[:1500]}")
    print(f"{len(CASES) + 1 - failed} of {len(CASES) + 1} right")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
