// What must still be taken, behind the PRELUDE of messages_test.py.
Coro<> add(int& n) {
    ++n;
    co_return;
}
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
    loop.call_later(
        Seconds(1), [](int) {}, 1, options);
    loop.call_at(loop.time(), [](int, int) {}, 1, 2, {});
    loop.create_task(take, "text", {.name = "x"});
    run_coroutine_threadsafe(asyncio::sleep(0), loop);
    auto all = [](int, int, int, int, int, int, int, CallbackOptions) {};
    loop.call_soon(all, 1, 2, 3, 4, 5, 6, 7, options);
    loop.call_soon([](int, int, int, int, int, int, int, int) {}, 1, 2, 3, 4, 5, 6, 7, 8);
}
// Functions with the names of ours in `detail` are not called in their place.
namespace users {
template <class F>
int repr_of(const F&) {
    return 1;
}
template <class F>
int act(F&) {
    return 1;
}
template <class F>
int address_of(F&) {
    return 1;
}
int call(Task<> task, AnyTask any, Future<int> future, RuntimeError error, OSError other) {
    return repr_of(task) + act(any) + address_of(future) + repr_of(error) + repr_of(other);
}
}  // namespace users
Coro<> sleep_ours() {
    co_await sleep(1);
    co_await sleep(0);
    co_await sleep(0.5);
    co_await sleep(1L);
}
struct Set {
    void discard(AnyFuture) {}
};
void bound_methods(EventLoop& loop, Task<> task, Event& event, StreamWriter writer) {
    loop.call_soon([task] { task.cancel("why"); });
    loop.call_soon(&Event::set, &event);
    loop.call_later(1, &Event::set, std::ref(event), {.context = copy_context()});
    loop.call_soon(&EventLoop::stop, &loop);
    loop.call_soon(&StreamWriter::close, writer);
    loop.call_soon(&Task<>::cancel, task, "why");
    loop.call_soon(&Task<>::cancel, task);
    loop.call_soon(&Lock::release, std::make_shared<Lock>());
    task.add_done_callback(std::bind_front(&Set::discard, std::make_shared<Set>()));
    loop.call_soon_threadsafe(&EventLoop::stop, &loop);
}
Coro<> awaits_all_kinds(EventLoop& loop, Coro<> coro) {
    loop.run_until_complete(asyncio::sleep(0));
    loop.run_until_complete(std::move(coro));
    loop.run_until_complete(wait(create_task(answer()), {.timeout = 1}));
    int n = loop.run_until_complete(answer());
    Timeout limit = timeout(1);
    co_await with(limit, []() -> Coro<> { co_await asyncio::sleep(1); });
    if (limit.expired()) create_task(answer());
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
        to.writelines({"one", "two"});
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
