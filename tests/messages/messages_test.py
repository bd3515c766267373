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
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unordered_set>
using namespace asyncio;
Coro<int> answer() { co_return 42; }
"""

# What is written, and a part of what the compiler says.
CASES = {
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
    "Coro<> f() { co_await wait_for([]() -> Coro<> { co_return; }, 1); }": "wait_for(f(), 1s), not wait_for(f, 1s)",
    "Coro<> f() { co_await wait_for(answer, std::nullopt); }": "wait_for(f(), 1s), not wait_for(f, 1s)",
    "Coro<> f() { co_await ensure_future(answer); }": "ensure_future(f()), not ensure_future(f)",
    "Coro<> f() { co_await gather(answer, answer); }": "another awaitable object: f(), not f",
    "Coro<std::string_view> f() { co_return std::string(); }": "a view of a temporary or a local variable",
    "Coro<std::string_view> f() { std::string text; co_return text; }": "a view of a temporary or a local variable",
    "Coro<std::string_view> f(std::string text) { co_return text; }": "a view of a temporary or a local variable",
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
    "void serve(StreamReader, StreamWriter) {}\n"
    "Coro<> f() { co_await start_server(serve, \"127.0.0.1\", 0, 100); }": "options are given by name",
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
Coro<std::string_view> view_literal() { co_return "text"; }
Coro<std::string_view> view_lasting() { co_return text; }
Coro<std::string_view> view_parameter(std::string_view view) { co_return view; }
Coro<std::string_view> view_reference(const std::string& owner) { co_return owner; }
Coro<std::optional<std::string_view>> view_perhaps(const std::string& owner) { co_return owner; }
Coro<std::span<const int>> view_numbers(const std::vector<int>& owner) { co_return owner; }
Coro<std::span<const int>> view_fewer(std::span<int> view) { co_return view; }
struct OthersView {
    const char* begin() const { return "text"; }
    const char* end() const { return begin() + 4; }
    operator std::string_view() const { return "text"; }
};
Coro<std::string_view> view_others(OthersView view) { co_return view; }
AsyncGenerator<std::string_view> views() { co_yield std::string("until the next step"); }
void keep_views(Future<std::string_view> future, Queue<std::string_view> queue, ContextVar<std::string_view> variable) {
    future.set_result("text");
    queue.put_nowait(text);
    queue.put_nowait({});
    variable.set(std::string_view(text).substr(1));
}
void call_back(EventLoop& loop, std::unique_ptr<int> pointer) {
    CallbackOptions options;
    loop.call_soon([] {}, options);
    loop.call_soon([](CallbackOptions) {}, options);
    loop.call_soon([](std::unique_ptr<int>&) {}, std::move(pointer));
    loop.call_later(Seconds(1), [] {}, {});
    loop.call_soon([](int, CallbackOptions) {}, 1, options);
    loop.call_soon([](int) {}, 1, {.context = copy_context()});
    loop.call_soon_threadsafe([](int, const std::string&) {}, 1, "two", {.context = copy_context()});
    loop.call_later(Seconds(1), [](int) {}, 1, options);
    loop.call_at(loop.time(), [](int, int) {}, 1, 2, {});
    loop.create_task(take, "text", {.name = "x"});
    run_coroutine_threadsafe(asyncio::sleep(0), loop);
}
Coro<> three(int, std::unique_ptr<int>, std::string) { co_return; }
void name_tasks(TaskGroup& group, int n) {
    create_task(take, "text", {.name = "x"});
    create_task(three, 1, nullptr, "x", {.name = "x", .eager_start = true});
    group.create_task(add, std::ref(n), {.name = "x"});
    group.create_task([](auto a, auto b) -> Coro<> { co_return; }, n, n, {});
}
void write(const StreamWriter& writer, const WriteTransport& transport, char* chars, std::vector<char> vector) {
    auto each = [&](const auto& to) {
        std::string own;
        const std::string constant;
        to.write("literal");
        to.write(chars);
        to.write(const_cast<const char*>(chars));
        to.write(std::string_view("view"));
        to.write(own);
        to.write(constant);
        to.write(own + "temporary");
        to.write(std::move(own));
        to.write(std::move(constant));
        to.write(std::move(vector));
        to.write(std::span<const char>(vector));
        to.write(BytesLike(chars));
        to.write(SharedBytes(std::string()));
        to.write({});
    };
    each(writer);
    each(transport);
}
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
class Quiet : public Protocol {};
class Private : public Protocol {
    void connection_made(Transport) override {}
    void data_received(std::string_view) noexcept override {}
    bool eof_received() final { return false; }
    void connection_lost(std::exception_ptr) override {}
};
class Overloaded : public Protocol {
public:
    void data_received(std::string_view) override {}
    void data_received(int) {}
};
class Deeper : public Private {
    void pause_writing() override {}
};
class Mine : public DatagramProtocol {
public:
    void datagram_received(std::string_view, const SocketAddress&) override { use(ref_of(this)); }
    static void use(ProtocolRef<Mine>) {}
};
class Buf : public BufferedProtocol {
    WritableBytes get_buffer(std::ptrdiff_t) override { return {}; }
    void buffer_updated(std::size_t) override {}
};
Coro<> connect_all(Socket& s) {
    auto q = [] { return Quiet(); };
    auto c = co_await create_connection(q, "127.0.0.1", 80);
    auto c2 = co_await create_connection([] { return std::make_unique<Private>(); }, {.sock = &s});
    auto c3 = co_await create_unix_connection([] { return make_protocol<Deeper>(); }, "path");
    auto c4 = co_await create_unix_connection([] { return Buf(); }, {.sock = &s});
    auto c5 = co_await connect_accepted_socket([] { return Overloaded(); }, std::move(s));
    Server a = co_await create_server(q, "127.0.0.1", 80);
    std::vector<std::string> hosts;
    Server b = co_await create_server(q, hosts, 80);
    Server d = co_await create_server(q, {.sock = &s});
    Server e = co_await create_unix_server(q, "p");
    Server g = co_await create_unix_server(q, {.sock = &s});
    auto m = [] { return Mine(); };
    auto d1 = co_await create_datagram_endpoint(m, HostPort("127.0.0.1", 0));
    auto d3 = co_await create_datagram_endpoint(m, nullptr, HostPort("127.0.0.1", 9));
    auto d4 = co_await create_datagram_endpoint(m, {.sock = &s});
    auto d5 = co_await create_datagram_endpoint(m, "/path");
    unsigned char raw[4] = {};
    std::byte others[4] = {};
    d1.transport.sendto(raw);
    d1.transport.sendto(others);
    d1.transport.sendto("text");
    std::set<Transport> set{c.transport};
    std::unordered_set<DatagramTransport> hashed{d1.transport};
    std::unordered_set<StreamWriter> writers;
    std::map<StreamWriter, int> map;
    auto stream = [] { return StreamReaderProtocol(StreamReader()); };
    auto pipe = co_await connect_write_pipe(stream, 1);
    StreamWriter w(pipe.transport, pipe.protocol);
    StreamWriter w2(pipe.transport, pipe.protocol, nullptr);
    StreamWriter w3(pipe.transport, pipe.protocol, StreamReader());
    ProtocolRef<> base = c.protocol;
    base = pipe.protocol;
    ProtocolRef<Mine> same = d1.transport.get_protocol<Mine>();
    if (base == c.protocol) co_return;
    co_await readable(0);
    auto r = co_await connect_read_pipe(q, 0);
}
"""


# g++ 12 destroys a temporary closure twice beside a co_await.
DESTROYED_TWICE = {
    "#include <asyncio/contextlib.h>\n"
    "Coro<> f(std::string s) { co_await try_finally(answer(), [s] {}); }": "this temporary lambda twice",
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
