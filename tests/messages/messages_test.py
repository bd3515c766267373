#!/usr/bin/env python3
"""Wrong use that cannot compile says what to write instead.

messages_test.py CXX
"""
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
PRELUDE = """#include <asyncio/asyncio.h>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unistd.h>
#include <unordered_set>
using namespace asyncio;
Coro<int> answer() { co_return 42; }
"""

# What is written, and a part of what the compiler says.
CASES = {
    "void f() { create_task(answer(), \"name\"); }": "the task's options, in braces",
    "Coro<> f() { co_await to_thread(answer); }": "a coroutine that a thread makes does not run there",
    "void f(EventLoop& loop) { loop.run_in_executor(nullptr, answer); }": "a coroutine that a thread makes does not run there",
    "void f(Future<> done) { done.add_done_callback([](Future<>) -> Coro<> { co_return; }); }": "would never run",
    "Coro<> f(Condition& full) { co_await full.wait_for([]() -> Coro<bool> { co_return true; }); }": "would pass for true",
    "#include <asyncio/contextlib.h>\n"
    "Coro<> f(AsyncExitStack& stack) { co_await stack.enter_async_context(5); }":
        "does not support the asynchronous context manager protocol",
    "#include <asyncio/contextlib.h>\n"
    "void f(AsyncExitStack& stack) { stack.push([] {}); }": "takes a std::exception_ptr itself",
    "#include <asyncio/contextlib.h>\n"
    "void f(AsyncExitStack& stack) { stack.callback([](int) {}); }": "cannot be called with these arguments",
    "#include <asyncio/contextlib.h>\n"
    "Coro<> f() { co_await try_finally(answer(), 5); }": "an awaitable or a function without parameters",
    "#include <asyncio/contextlib.h>\n"
    "Coro<> f() { co_await try_except<OSError>(answer(), [](int) { return 1; }); }": "takes a `const Error&`",
    "#include <asyncio/tls.h>\n"
    "void f() { OpenConnectionOptions options = {.ssl = create_default_context()}; }": "name it first",
    "#include <asyncio/tls.h>\n"
    "void f(std::string secret) { LoadCertChainOptions options = {.password = [secret] { return secret; }}; }":
        "name it first, in a variable that lives until then",
    "void f() { run(answer); }": "run(f()), not run(f)",
    "void f() { auto later = [](int) -> Coro<> { co_return; }; run(later); }": "run(f()), not run(f)",
    "Coro<> add(int& n) { ++n; co_return; }\nvoid f(int n) { create_task(add, n); }": "(a reference: std::ref)",
    "void f() { create_task([](int n) { return n; }, 1); }": "and return a Coro",
    "void f() { create_task(answer, 1); }": "f must take them by value",
    "Coro<> serve(StreamReader reader) { co_return; }\n"
    "Coro<> f() { co_await start_server(serve, \"127.0.0.1\", 0); }": "a StreamReader and a StreamWriter, by value",
    "struct Chat { Coro<> talk(StreamReader, StreamWriter) { co_return; } };\n"
    "Coro<> f() { co_await start_server(&Chat::talk, \"127.0.0.1\", 0); }": "start_server(&Class::f, this, host, port)",
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
    "Coro<> own(std::unique_ptr<int>) { co_return; }\nvoid f(std::unique_ptr<int> p) { create_task(own, p); }":
        "one of these cannot be copied: give it by std::move",
    "Coro<> own(std::unique_ptr<int>) { co_return; }\n"
    "void f(TaskGroup& group, std::unique_ptr<int> p) { group.create_task(own, p); }":
        "one of these cannot be copied: give it by std::move",
    "Coro<> add(int& n) { ++n; co_return; }\nvoid f(TaskGroup& group, int n) { group.create_task(add, n); }":
        "(a reference: std::ref)",
    "Coro<> add(int& n) { ++n; co_return; }\nvoid f(EventLoop& loop, int n) { loop.create_task(add, n); }":
        "(a reference: std::ref)",
    "int add(int&);\nCoro<> f(int n) { co_await to_thread(add, n); }": "(a reference: std::ref)",
    "#include <stop_token>\nint add(int&);\nCoro<> f(int n) { co_await to_thread(add, n); }": "(a reference: std::ref)",
    "int add(int&);\nvoid f(EventLoop& loop, int n) { loop.run_in_executor(nullptr, add, n); }":
        "(a reference: std::ref)",
    "void use(std::unique_ptr<int>&);\nvoid f(EventLoop& loop, std::unique_ptr<int> p) { loop.call_soon(use, p); }":
        "one of these cannot be copied: give it by std::move",
    "struct Owner { std::unique_ptr<int> p; void operator()() {} };\n"
    "void f(EventLoop& loop, Owner owner) { loop.call_later(Seconds(1), owner); }":
        "one of these cannot be copied: give it by std::move",
    "void own(std::unique_ptr<int>);\n"
    "void f(EventLoop& loop, std::unique_ptr<int> p) { loop.call_soon(own, std::move(p)); }":
        "by & what cannot be copied",
    "void own(std::unique_ptr<int>);\n"
    "void f(EventLoop& loop, std::unique_ptr<int> p) { loop.add_reader(0, own, std::move(p)); }":
        "by & what cannot be copied",
    "void f(EventLoop& loop) { loop.call_soon_threadsafe([](int) {}); }": "calls a callback without arguments",
    "void f(EventLoop& loop) { loop.add_signal_handler(2, [](int) {}); }": "calls a callback without arguments",
    "void f(Future<int> future) { future.add_done_callback([](int) {}); }": "with the future or task that is done",
    "void f(EventLoop& loop) { loop.call_soon(answer); }": "would never run: give the coroutine to create_task()",
    "struct S { Coro<> run(int) { co_return; } };\nvoid f(EventLoop& loop, S& s) { loop.call_later(1, &S::run, &s, 1); }": "would never run: give the coroutine to create_task()",
    "void f(Task<> task) { task.add_done_callback([](AnyFuture) -> Coro<> { co_return; }); }": "would never run: give the coroutine to create_task()",
    "void f(ConcurrentFuture<> future) { future.add_done_callback([](auto) -> Coro<> { co_return; }); }": "would never run: give the coroutine to create_task()",
    "void f(EventLoop& loop) { loop.set_exception_handler([](auto&, auto&) -> Coro<> { co_return; }); }": "would never run: give the coroutine to create_task()",
    "void f(EventLoop& loop, Event& event) { loop.call_soon(&Event::set, event); }":
        "one of these cannot be copied: give it by std::move, or by std::ref",
    "struct S { void f() {} };\nvoid f(EventLoop& loop, S& s) { loop.call_soon(&S::f, s); }":
        "give &object or std::ref(object)",
    "struct S { void done(AnyFuture) noexcept {} };\nvoid f(Task<> task, S& s) { task.add_done_callback(&S::done, s); }":
        "give &object or std::ref(object)",
    "#include <asyncio/contextlib.h>\nstruct S { void f(int) {} };\n"
    "void f(AsyncExitStack& stack, S& s) { stack.callback(&S::f, s, 1); }": "give &object or std::ref(object)",
    "struct S { void f(int n = 1) {} };\nvoid f(EventLoop& loop, S& s) { loop.call_later(1, &S::f, &s); }":
        "Of a method, &Class::f, all arguments have to be given",
    "struct S { void f(int) {} };\nvoid f(Future<int> future, S& s) { future.add_done_callback(&S::f, &s); }":
        "with the future or task that is done",
    "Coro<> f() { co_await wait_for([]() -> Coro<> { co_return; }, 1); }": "wait_for(f(), 1s), not wait_for(f, 1s)",
    "Coro<> f() { co_await wait_for(answer, std::nullopt); }": "wait_for(f(), 1s), not wait_for(f, 1s)",
    "Coro<> f() { co_await ensure_future(answer); }": "ensure_future(f()), not ensure_future(f)",
    "Coro<> f() { co_await gather(answer, answer); }": "another awaitable object: f(), not f",
    "Coro<std::string_view> f() { co_return std::string(); }": "a view of a temporary or a local variable",
    "Coro<std::string_view> f() { std::string text; co_return text; }": "a view of a temporary or a local variable",
    "Coro<std::string_view> f(std::string text) { co_return text; }": "a view of a temporary or a local variable",
    "struct Pool { void aenter() {} void aexit(std::exception_ptr) {} Lock lock; };\n"
    "Coro<> f() { co_await with(Pool(), [] {}); }": "a temporary manager is moved, and this one cannot be",
    "#include <asyncio/contextlib.h>\nstruct Pool { void aenter() {} void aexit(std::exception_ptr) {} Lock lock; };\n"
    "Coro<> f(AsyncExitStack& stack) { co_await stack.enter_async_context(Pool()); }":
        "a temporary manager is moved, and this one cannot be",
    "Coro<> f() { co_await with(timeout(1), [](Timeout&) { return gather(answer(), answer()); }); }":
        "this block would be over at once",
    "Coro<> f(Timeout cm) { co_await with(cm, [] { return create_task(answer()); }); }":
        "this block would be over at once",
    "Coro<HostPort> f(std::string host) { co_return HostPort(host, 80); }": "would only refer to a string that dies",
    "Coro<BytesLike> f() { std::string text; co_return text; }": "would only refer to a string that dies",
    "void f(EventLoop& loop, Host host) { loop.create_future<Host>().set_result(host); }":
        "would only refer to a string that dies",
    "Coro<std::optional<std::string_view>> f() { co_return std::string(); }":
        "a view of a temporary or a local variable",
    "Coro<std::span<const int>> f() { co_return std::vector<int>(); }": "a view of a temporary or a local variable",
    "Coro<std::span<const int>> f() { co_return std::array<int, 1>(); }": "a view of a temporary or a local variable",
    "void f(Future<std::string_view> future) { future.set_result(std::string()); }":
        "set_result() would keep a view of a temporary",
    "void f(Queue<std::string_view> queue) { queue.put_nowait(std::string()); }":
        "the queue would keep a view of a temporary",
    "Coro<> f(Queue<std::string_view> queue) { co_await queue.put(std::string()); }":
        "the queue would keep a view of a temporary",
    "void f(ContextVar<std::string_view> variable) { variable.set(std::string()); }":
        "the variable would keep a view of a temporary",
    "ContextVar<std::string_view> variable(\"name\", std::string());": "the variable would keep a view of a temporary",
    "class P : public Protocol {};\nvoid f(P& p) { ProtocolRef<P> ref(&p); }": "make both by make_protocol<P>(arguments...)",
    "Coro<> f(Socket& s) { auto wrong = [](int) {}; co_await create_connection(wrong, {.sock = &s}); }":
        "for a Protocol or a BufferedProtocol",
    "Coro<> f() { auto wrong = [] { return DatagramProtocol(); }; co_await create_unix_connection(wrong, \"path\"); }":
        "for a Protocol or a BufferedProtocol",
    "Coro<> f(Socket& s) { auto wrong = [] { return 3; }; co_await create_unix_server(wrong, {.sock = &s}); }":
        "for a Protocol or a BufferedProtocol",
    "Coro<> f(Socket& s) { auto wrong = [] { return 3; }; co_await create_server(wrong, {.sock = &s}); }":
        "for a Protocol or a BufferedProtocol",
    "Coro<> f(Socket& s) { auto wrong = [] { return 3; }; co_await connect_accepted_socket(wrong, std::move(s)); }":
        "for a Protocol or a BufferedProtocol",
    "Coro<> f() { auto wrong = [] { return DatagramProtocol(); }; co_await connect_read_pipe(wrong, 0); }":
        "for a Protocol, a std::unique_ptr of one",
    "Coro<> f(Socket& s) { auto wrong = [] { return Protocol(); }; co_await create_datagram_endpoint(wrong, {.sock = &s}); }":
        "for a DatagramProtocol, a std::unique_ptr of one",
    "Coro<> f() { auto right = [] { return DatagramProtocol(); }; co_await create_datagram_endpoint(right, \"::1\", 0); }":
        "create_datagram_endpoint(factory, HostPort(host, port))",
    "Coro<> f() { auto right = [] { return Protocol(); }; co_await connect_write_pipe(right, stdout); }":
        "a pipe is given by its descriptor",
    "#include <asyncio/subprocess.h>\n"
    "Coro<> f() { auto wrong = [] { return Protocol(); }; co_await subprocess_exec(wrong, \"true\"); }":
        "for a SubprocessProtocol, a std::unique_ptr of one",
    "#include <asyncio/subprocess.h>\nstruct P : SubprocessProtocol { void pipe_data_received(int, std::string) {} };\n"
    "Coro<> f() { auto wrong = [] { return P(); }; co_await subprocess_shell(wrong, \"true\"); }":
        "it would never be called: pipe_data_received(int, std::string_view)",
    "Coro<> f() { co_await readable(stdin); }": "readable() waits for a descriptor",
    "struct P : Protocol { void data_received(std::string) {} };\n"
    "Coro<> f() { auto wrong = [] { return P(); }; co_await create_server(wrong, \"::1\", 0); }":
        "it would never be called: data_received(std::string_view)",
    "struct P : Protocol { void connection_made(ReadTransport) {} };\n"
    "Coro<> f() { auto wrong = [] { return P(); }; co_await connect_read_pipe(wrong, 0); }":
        "it would never be called: connection_made(Transport)",
    "struct P : Protocol { void eof_received() const {} };\n"
    "Coro<> f() { auto wrong = [] { return make_protocol<P>(); }; co_await create_unix_server(wrong, \"path\"); }":
        "it would never be called: bool eof_received()",
    "struct P : DatagramProtocol { void datagram_received(std::string_view, SocketAddress) {} };\n"
    "Coro<> f() { auto wrong = [] { return P(); }; co_await create_datagram_endpoint(wrong, HostPort(\"::1\", 0)); }":
        "it would never be called: datagram_received(std::string_view, const SocketAddress&)",
    "void f(Coro<> named) { create_task(named); }": "hand it over, as by create_task(std::move(coro))",
    "void f(TaskGroup& group, Coro<> named) { group.create_task(named); }": "hand it over, as by create_task(std::move(coro))",
    "void f(Task<> a, Task<int> b) { wait({a, b}); }": "wait(a, b), without braces",
    "void f() { gather({answer(), answer()}); }": "gather(a, b), without braces",
    "void f(Task<> a) { gather(return_exceptions, {a, asyncio::sleep(1)}); }": "without braces, too",
    "void f() { as_completed({answer(), answer()}); }": "as_completed(a, b), without braces",
    "void f() { as_completed({answer(), answer()}, {.timeout = 1}); }": "without braces, too",
    "void serve(StreamReader, StreamWriter) {}\n"
    "Coro<> f() { co_await start_server(serve, \"127.0.0.1\", 0, 100); }": "options are given by name",
    "struct Chat { Coro<> talk(StreamReader, StreamWriter) { co_return; } };\n"
    "Coro<> f(Chat& chat) { co_await start_server(&Chat::talk, &chat, \"127.0.0.1\", 0, 100); }": "options are given by name",
    "struct Chat { Coro<> talk(StreamReader, StreamWriter) { co_return; } };\n"
    "Coro<> f(Chat& chat) { co_await start_unix_server(&Chat::talk, &chat, \"socket\", 100); }": "options are given by name",
    "void serve(StreamReader, StreamWriter) {}\n"
    "Coro<> f() { co_await start_unix_server(serve, \"socket\", 100); }": "options are given by name",
    "Coro<> f() { co_await \"x\"; }": "co_await needs a Coro, a Future, a Task or another awaitable object",
    "Coro<const std::string> f() { co_return \"x\"; }": "Coro<T> instead of Coro<const T> or Coro<T&&>",
    "Coro<std::string&&> f(std::string& s) { co_return std::move(s); }": "Coro<T> instead of Coro<const T> or Coro<T&&>",
    "void f(EventLoop& loop) { auto future = loop.create_future<const int>(); }": "Coro<T> instead of Coro<const T>",
    "struct Pinned { Pinned(int) {} Pinned(Pinned&&) = delete; };\n"
    "Coro<Pinned> f() { co_return 1; }\nCoro<> g() { co_await f(); }": "return a std::unique_ptr of it",
    "struct Pinned { Pinned(int) {} Pinned(Pinned&&) = delete; };\n"
    "Coro<Pinned> f() { co_return 1; }\nvoid g() { run(f()); }": "return a std::unique_ptr of it",
    "struct Pinned { Pinned(int) {} Pinned(Pinned&&) = delete; };\n"
    "Coro<Pinned> f() { co_return Pinned(1); }": "return a std::unique_ptr of it",
    "struct Pinned { Pinned(int) {} Pinned(Pinned&&) = delete; };\n"
    "Coro<Pinned> f() { Pinned pinned(1); co_return pinned; }": "return a std::unique_ptr of it",
    "struct Pinned { Pinned(int) {} Pinned(Pinned&&) = delete; };\n"
    "Coro<Pinned> f() { co_return 1; }\nCoro<> g() { co_await gather(f(), f()); }": "return a std::unique_ptr of it",
    "struct Pinned { Pinned(int) {} Pinned(Pinned&&) = delete; };\n"
    "Coro<> f(std::vector<Task<Pinned>> tasks) { co_await gather(return_exceptions, tasks); }":
        "moved to one place, and one of these cannot be moved",
    "Coro<> f(Queue<int> queue) { co_await queue.get(); }": "pass it by reference, or in a std::shared_ptr",
    "Coro<> f(Event event) { co_await event.wait(); }": "pass it by reference, or in a std::shared_ptr",
    "void f() { ensure_future(\"ok\"); }": "ensure_future(f()), not ensure_future(f)",
    "void f() { run_main(answer); }": "run_main(amain()), not run_main(amain)",
    "void f(EventLoop& loop) { loop.run_until_complete(answer); }": "what a call gives, f(), not f",
    "void f(Runner& runner) { runner.run(answer); }": "what a call gives, f(), not f",
    "void f(EventLoop& loop, Coro<> named) { loop.run_until_complete(named); }": "hand it over, as by create_task(std::move(coro))",
    "void f(Coro<> named) { ensure_future(named); }": "hand it over, as by create_task(std::move(coro))",
    "void f(Coro<> named) { create_task(named, {.name = \"x\"}); }": "hand it over, as by create_task(std::move(coro))",
    "void f() { create_task(gather(answer(), answer())); }": "this is a future: what gather(), shield() and create_task() give runs already",
    "void f(Task<> task) { create_task(shield(task), {.name = \"x\"}); }": "this is a future: what gather(), shield() and create_task() give runs already",
    "void f(EventLoop& loop, Future<> future) { loop.create_task(future); }": "this is a future: what gather(), shield() and create_task() give runs already",
    "void f(TaskGroup& group, Future<> future) { group.create_task(future, {.name = \"x\"}); }": "this is a future: what gather(), shield() and create_task() give runs already",
    "void f(EventLoop& loop, Task<> task) { run_coroutine_threadsafe(task, loop); }": "this is a future: what gather(), shield() and create_task() give runs already",
    "void seven(int, int, int, int, int, int, int);\n"
    "void f(EventLoop& loop) { loop.call_soon(seven, 1, 2, 3, 4, 5, 6, 7, {.context = copy_context()}); }": "options can stand behind six arguments at most",
    "void seven(int, int, int, int, int, int, int);\n"
    "void f(EventLoop& loop, CallbackOptions o) { loop.call_later(1, seven, 1, 2, 3, 4, 5, 6, 7, o); }": "options can stand behind six arguments at most",
    "Coro<> seven(int, int, int, int, int, int, int);\n"
    "void f() { create_task(seven, 1, 2, 3, 4, 5, 6, 7, {.name = \"x\"}); }": "options can stand behind six arguments at most",
    "Coro<> seven(int, int, int, int, int, int, int);\n"
    "void f(TaskGroup& group) { group.create_task(seven, 1, 2, 3, 4, 5, 6, 7, {.name = \"x\"}); }": "options can stand behind six arguments at most",
}
# What takes an awaitable, given a number, as POSIX's sleep() gives it. Each gets one of another type: a type is told of once.
POSIX = "a number cannot be awaited: if this is POSIX's sleep(), which blocks, write asyncio::sleep(10s)"
TAKE_AWAITABLES = {
    "unsigned": "co_await x",
    "int": "gather(x, asyncio::sleep(1))",
    "long": "gather(return_exceptions, x)",
    "short": "gather(std::vector{x})",
    "unsigned short": "shield(x)",
    "unsigned long": "wait(x)",
    "long long": "wait(task, task, task, x)",
    "unsigned long long": "wait_for(x, 1)",
    "char": "as_completed(x)",
    "signed char": "as_completed(task, task, task, x)",
    "unsigned char": "ensure_future(x)",
    "wchar_t": "create_task(x)",
    "char8_t": "create_task(x, {.name = \"x\"})",
    "char16_t": "group.create_task(x)",
    "char32_t": "loop.create_task(x)",
    "bool": "loop.run_until_complete(x)",
    "float": "run_coroutine_threadsafe(x, loop)",
    "double": "run(x)",
    "long double": "runner.run(x)",
    "const int": "run_main(x)",
    "const long": "try_finally(answer(), x)",
    "const char": "with(on_exit(x), [] {})",
}
NUMBERS = "#include <asyncio/contextlib.h>\nCoro<> f(EventLoop& loop, TaskGroup& group, Runner& runner, Task<> task) {\n" + "".join(
    f"    {{ {type} x = 0; {text}; }}\n" for type, text in TAKE_AWAITABLES.items()) + "    co_return;\n}\n"

RIGHT = pathlib.Path(__file__).with_name("right.cpp")


# g++ 12 destroys a temporary closure twice beside a co_await.
DESTROYED_TWICE = {
    "#include <asyncio/contextlib.h>\n"
    "Coro<> f(std::string s) { co_await try_finally(answer(), [s] {}); }": "this temporary lambda twice",
    "Coro<> f() { co_await to_thread([p = std::make_unique<int>(5)] { return *p; }); }": "this temporary lambda twice",
    "Coro<> f(std::string s) { co_await to_thread([s] { return s.size(); }); }": "this temporary lambda twice",
}


def compiled(cxx, text, *flags):
    every_error = ["-ferror-limit=0"] if "clang" in cxx else []
    return subprocess.run([cxx, "-fsyntax-only", *every_error, f"-I{INCLUDE}", *flags, "-x", "c++", "-"],
                          input=text, capture_output=True, text=True)


def compile_text(cxx, text, standard="c++20"):
    return compiled(cxx, PRELUDE + text, f"-std={standard}")


class Prelude:
    """Compiled once: that is nearly all that each case costs."""

    def __init__(self, cxx, folder):
        header = pathlib.Path(folder, "prelude.h")
        header.write_text(PRELUDE)
        is_clang = "clang" in cxx
        self.cxx = cxx
        self.flags = ["-std=c++20", "-include-pch", f"{header}.pch"] if is_clang else ["-std=c++20", "-include", str(header)]
        subprocess.run([cxx, "-std=c++20", f"-I{INCLUDE}", "-x", "c++-header", str(header),
                        "-o", f"{header}.pch" if is_clang else f"{header}.gch"], check=True)

    def says(self, text, message):
        """What is said instead, or None. g++ 12 breaks on some programs behind a precompiled header: then without one."""
        for compile in (lambda: compiled(self.cxx, text, *self.flags), lambda: compile_text(self.cxx, text)):
            result = compile()
            if result.returncode and message in result.stderr:
                return None
        return result.stderr


def main(cxx):
    version = subprocess.run([cxx, "-dumpfullversion"], capture_output=True, text=True).stdout
    if version.startswith("12.") and "clang" not in cxx:
        CASES.update(DESTROYED_TWICE)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool, tempfile.TemporaryDirectory() as folder:
        numbers = pool.submit(compile_text, cxx, NUMBERS)
        right = pool.submit(compile_text, cxx, RIGHT.read_text())
        older = pool.submit(compile_text, cxx, "", "c++17")
        prelude = Prelude(cxx, folder)
        instead = dict(zip(CASES, pool.map(lambda case: prelude.says(*case), CASES.items())))
    if right.result().returncode:
        failed += 1
        print(right.result().stderr)
    if numbers.result().stderr.count(POSIX) != len(TAKE_AWAITABLES):
        failed += 1
        print(NUMBERS, numbers.result().stderr)
    told = older.result().stderr
    if "asyncio needs C++20: compile with -std=c++20 or later" not in told or told.count(" error: ") > 10:
        failed += 1
        print(told[:1500])
    for text, message in CASES.items():
        if instead[text] is not None:
            failed += 1
            print(f"{text}\n    does not say: {message}\n{instead[text][:1500]}")
    print(f"{len(CASES) + 3 - failed} of {len(CASES) + 3} right")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
