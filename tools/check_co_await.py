#!/usr/bin/env python3
"""Finds what breaks the rules of docs/coroutine_traps.md that no compiler tells of:

- one co_await per statement, as g++ 12 needs it: the whole initialiser, expression statement or co_return operand;
- a function that returns a Coro, without any co_ and any return, is no coroutine: what it throws, it throws when called;
- a std::mutex that is locked over an await: by a guard of the standard library, or by `mutex.lock();`;
- a guard of a lock or semaphore that waits for a co_await which is not there, where `[[maybe_unused]]` or `(void)` silences the compiler;
- a task of a local lambda with captures that is gone before the task begins: give the lambda itself, create_task(x, ...);
- several create_task() among the arguments of one call: g++ begins the last one first.

check_co_await.py [FILE...]     C++ and Markdown; default: the library's own and its docs
check_co_await.py --self-test
Exempt a statement with `// lint: allow-co-await <reason>` on its first line, the line of the co_await, or the line above.
A checker of tokens, not of types: it cannot see the destructor of a braced temporary, so `Name{}` and `{.field = ...}`
pass (ours are safe by rule), and so do the arguments of a program, `{"log", "-1"}`, in the calls that take them; all other
braces and by-value captures beside a co_await do not.
"""
import argparse
import pathlib
import re
import sys

import extract_snippets
from cpp_tokens import Group, flat, is_block, is_group, mark_lambdas, tree
from dead_closures import dead_closures
from forgotten_awaits import forgotten_awaits
from locks_over_awaits import awaits_under_locks

ALLOWED = re.compile(r"//\s*lint:\s*allow-co-await\s+\S")
CONTROL = {"if", "while", "for", "switch", "catch"}
TAKES_ARGUMENTS = {"create_subprocess_exec", "subprocess_exec", "run_process"}  # whose braces make no array: Arguments
AFTER_AWAIT = {"?", "&&", "||", "==", "!=", "<=", ">=", "<<", "+", "-", "/", "%", "|", "^"}  # not the whole then


def statements(items):
    """Every statement at or below this level, as a list of items; bodies of lambdas give statements of their own."""
    current = []
    for item in items:
        if is_group(item, "{") and not item.body and is_block(item, current):
            yield current
            yield from statements(item)
            current = []
        elif item == ";":
            yield current
            current = []
        else:
            current.append(item)
            if isinstance(item, Group):
                yield from bodies(item)
    yield current


def bodies(group):
    if group.body:
        yield from statements(group)
    else:
        for item in group:
            if isinstance(item, Group):
                yield from bodies(item)


def beside(items):
    """What may not stand beside a co_await."""
    for before, item in zip(["", *items], items):
        if not isinstance(item, Group) or item.body:
            continue
        if isinstance(before, str) and before in TAKES_ARGUMENTS:
            item = without_arguments(item)
        if hasattr(item, "introducer"):
            starts = [word for before, word in zip([",", *item], item) if before == ","]
            if any(word not in ("&", "this") for word in starts):
                yield "a lambda with a by-value capture"
            continue
        if item.sign == "{" and item and (item[0] != "." or any(isinstance(part, Group) and part for part in item)):
            yield "a brace list"
        yield from beside(item)


def without_arguments(call):
    """The call without the brace lists of plain words in it."""
    rest = Group(call.sign, call.line)
    rest.extend(item for item in call
                if not is_group(item, "{") or item[:1] == ["."] or any(isinstance(part, Group) for part in item))
    return rest


def problem(statement):
    items = list(statement)
    while items and items[0] in ("case", "default", "public", "private", "protected") and ":" in items:
        items = items[items.index(":") + 1:]
    while items and isinstance(items[0], str) and items[0] in {"else", "do", "try"} | CONTROL:
        keyword = items.pop(0)
        if keyword in CONTROL:
            header = next((item for item in items if is_group(item, "(")), None)
            if header is None:
                return None
            if "co_await" in flat(header):
                declares = keyword == "while" and "=" in header and header.index("=") >= 2
                return problem(header) if declares else f"co_await in the condition of a {keyword}"
            items = items[items.index(header) + 1:]
    words = list(flat(items))
    if words.count("co_await") + words.count("co_yield") < 1 or "co_await" not in words:
        return None
    if words.count("co_await") + words.count("co_yield") > 1:
        return "more than one co_await in a statement"
    if "co_await" not in items:
        return "co_await inside a larger expression"
    at = items.index("co_await")
    before, after = items[:at], items[at + 1:]
    void_cast = len(before) == 1 and is_group(before[0], "(") and before[0] == ["void"]
    if before and before[-1] not in ("=", "co_return") and not void_cast:
        return "co_await inside a larger expression"
    pairs = zip(after[1:], after[2:] + [";"])  # the && of a type is followed by one of > , ...
    if any(sign in AFTER_AWAIT and next_sign not in (">", ",", "...") for sign, next_sign in pairs if isinstance(sign, str)):
        return "co_await is not the whole expression"
    return next((f"{what} beside a co_await" for what in beside(items)), None)


def returns_coro(before):
    """Whether what stands before a body says that it is one of a function or lambda that returns a Coro."""
    head = list(before)
    while head and isinstance(head[-1], str) and head[-1] in ("const", "noexcept", "override", "final", "mutable"):
        head.pop()
    if "->" in head:
        result = head[len(head) - head[::-1].index("->"):]
        return bool(result) and result[0] in ("Coro", "asyncio") and "Coro" in result and not any(is_group(r, "(") for r in result)
    if len(head) < 2 or not is_group(head[-1], "(") or not isinstance(head[-2], str) or not re.fullmatch(r"\w+", head[-2]):
        return False
    return "Coro" in head[:-2] and "=" not in head and not any(is_group(item, "(") for item in head[:-1])


def no_coroutines(items):
    """The lines of bodies that return a Coro, and neither have a co_ nor return one that is made elsewhere."""
    before = []
    for item in items:
        if isinstance(item, Group):
            words = list(flat(item))
            if item.sign == "{" and words and returns_coro(before):
                if not any(word.startswith("co_") or word == "return" for word in words):
                    yield item.line
            yield from no_coroutines(item)
            if item.sign == "{":
                before = []
                continue
        elif item == ";":
            before = []
            continue
        before.append(item)


def unordered_tasks(items):
    """The lines of calls that make tasks in several of their arguments."""
    for before, item in zip(["", *items], items):
        if not isinstance(item, Group):
            continue
        if item.sign == "(" and isinstance(before, str) and re.fullmatch(r"\w+", before) and before not in CONTROL:
            arguments = [[]]
            for part in item:
                if part == ",":
                    arguments.append([])
                else:
                    arguments[-1].append(part)
            if sum("create_task" in flat(argument) for argument in arguments) > 1:
                yield item.line
        yield from unordered_tasks(item)


def complaints(code, first_line=1):
    lines = code.splitlines()
    items = tree(code, first_line)
    mark_lambdas(items)

    def is_allowed(near):
        return any(0 <= n - first_line < len(lines) and ALLOWED.search(lines[n - first_line]) for n in near)

    for line in no_coroutines(items):
        if not is_allowed({line, line - 1}):
            yield line, "a Coro without co_await, co_return or return: it is no coroutine, and throws when it is called"
    for line in unordered_tasks(items):
        if not is_allowed({line, line - 1}):
            yield line, "several create_task() in the arguments of one call: in which order they begin is not defined"
    for line, name in dead_closures(items):
        if not is_allowed({line, line - 1}):
            yield line, f"the closure {name} dies before its coroutine begins: give {name} itself, create_task({name}, ...)"
    for line, call in forgotten_awaits(items):
        if not is_allowed({line, line - 1}):
            yield line, f"{call}() without co_await takes nothing, and the compiler may not tell: write co_await"
    for line, name in awaits_under_locks(items):
        if not is_allowed({line, line - 1}):
            yield line, f"{name} keeps a mutex locked over this co_await: other threads wait, and so may this one, for ever"
    for statement in statements(items):
        reason = problem(statement)
        if reason:
            words = list(flat(statement))
            awaited = next(word.line for word in words if word in ("co_await", "co_yield"))
            near = {words[0].line, awaited, words[0].line - 1, awaited - 1}
            if not is_allowed(near):
                yield awaited, reason


def complaints_of(path):
    text = path.read_text()
    if path.suffix != ".md":
        return complaints(text)
    found = [block for block in extract_snippets.blocks(text, path) if block.kind != "skip"]
    return [entry for block in found for entry in complaints(block.code, block.line)]


GOOD = """
auto&& z = co_await static_cast<A&&>(a);
co_await f();                                   auto x = co_await f(a, {.timeout = 1s});
T& y = co_await std::move(*g);                  x = co_await a.b();          co_return co_await f();
while (auto item = co_await queue.next()) use(item);
if (ready) co_await f();                        for (auto& t : list) co_await t;
auto pair = co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> { group.create_task(f()); co_await g(); });
const char* s = "co_await co_await";            // co_await a + co_await b
auto task = [name = std::string()]() -> Coro<> { co_await f(); };
struct S { Coro<> f() const { co_await g(); } int big = 1'000'000; };
switch (x) { case 1: co_await f(); break; default: co_await g(); }
do { co_await f(); } while (more);              (void) co_await f();         co_await with(lock, [this] { return 1; });
use(co_await f());  // lint: allow-co-await the self-test wants it
auto out = co_await run_process({"sort", "-u"}, {.input = text});
auto operator co_await() const { return Awaiter{*this}; }   using R = decltype(std::declval<A>().operator co_await());
#define TWO co_await a + co_await b
Coro<int> forwarded() { return f(); }    Coro<> declared();    virtual Coro<> g() = 0;    Coro<> h() override { co_return; }
auto l = []() -> Coro<> { co_await f(); };    Task<> pair[] = {create_task(f()), create_task(g())};
Coro<> made = f();    use([] { return create_task(f()); }, [] { return create_task(g()); });
Coro<> c1() { { std::lock_guard guard(mutex); ++n; } co_await f(); }
Coro<> c2() { std::unique_lock<std::mutex> l(mutex); l.unlock(); co_await f(); }
Coro<> c3() { mutex.lock(); ++n; mutex.unlock(); co_await f(); }
Coro<> c4() { std::lock_guard<std::mutex> guard{mutex}; use([]() -> Coro<> { co_await f(); }); co_return; }
Coro<> c5() { co_await f(); std::scoped_lock both(a, b); ++n; }
Coro<> c6() { std::unique_lock l(mutex, std::defer_lock); co_await f(); }
Coro<> c7() { if (std::lock_guard guard(mutex); n > 0) { ++n; } co_await f(); auto p = weak.lock(); co_await f(); }
Coro<> c8() { auto guard = co_await lock.guard(); co_await f(); }
Coro<> c9() { auto guard = std::unique_lock(mutex, std::defer_lock); co_await f(); }
Coro<> d1() { if (std::unique_lock guard(mutex); guard) ++n; co_await f(); }
void e1() { auto x = [n]() -> Coro<> { co_await f(); }; create_task(x); }
void e2() { auto x = []() -> Coro<> { co_await f(); }; create_task(x()); }
Coro<> e3() { auto x = [&]() -> Coro<> { co_await f(); }; Task<> t = create_task(x()); co_await t; }
Coro<> e4() { auto x = [&]() -> Coro<> { co_await f(); }; co_await gather(x(), x()); }
Coro<> e5() { auto x = [&]() -> Coro<> { co_await f(); }; for (;;) { co_await g(); create_task(x()); } }
int main() { auto x = [&]() -> Coro<> { co_await f(); }; Task<> t = loop.create_task(x()); loop.run_until_complete(t); }
void e6() { static auto x = [n = 1]() -> Coro<> { co_await f(); }; create_task(x()); }
Coro<> e7() { auto x = [&](TaskGroup& g) -> Coro<> { co_await f(); }; co_await with(group, [&](TaskGroup& g) { g.create_task(x(g)); }); }
void f1() { auto x = [&]() -> Coro<> { co_await f(); }; auto t = loop.create_task(x()); EXPECT(outcome([&] { loop.run_forever(); })); }
void f2() { auto x = [&]() -> Coro<> { co_return; }; create_task(x(), {.eager_start = true}); }
void e8() { auto x = [n] { return f(n); }; create_task(x()); auto y = [n] { return 1; }; return y(); }
Task<> e9() { auto x = [n]() -> Coro<> { co_await f(n); }; return create_task(y(x)); }
Coro<> g1() { [[maybe_unused]] auto guard = co_await lock.guard(); (void) co_await lock.acquire(); }
Coro<> g2() { [[maybe_unused]] auto wait = lock.acquire(); co_await f(); if (n > 0) { co_await wait; } }
void g3() { [[maybe_unused]] auto guard = var.set(1).guard(); auto token = var.set(2); [[maybe_unused]] auto other = token.guard(); }
Coro<> g4() { auto guard = lock.guard(); co_await f(); [[maybe_unused]] auto size = vault.guard().size(); (void) thing.guard(2); }
"""
BAD = """
auto log = co_await run_process({"sort", std::string("-u")});
auto all = co_await run({"sort", "-u"});
auto x = co_await f() + co_await g();
use(co_await f());
if (co_await f()) { }
if (x && co_await f()) return;
while (co_await f()) { }
for (auto x : co_await f()) use(x);
auto x = ok ? co_await f() : 0;
bool b = co_await f() && ready;
throw Error(co_await f());
co_await f([s = std::string()] { return s; });
co_await f([=] { return s; });
co_await f([&, s] { return s; });
auto v = co_await gather({a(), b()});
co_await f(std::array<std::string, 2>{"a", "b"});
co_await f({.name = std::string{"long"}});
std::vector<int> v{co_await f()};
auto f = [s = co_await g()] { return s; };
int n = (co_await f()).size();
auto coro = [&]() -> Coro<> { use(co_await f()); };
TEST(A, B) { run_test([&]() -> Coro<> { EXPECT_EQ(co_await f(), 1); }); }
use(co_await f());  // lint: allow-co-await
do { g(); } while (co_await f());
Coro<> thrower() { throw ValueError("no coroutine"); }
auto l = [](int n) -> asyncio::Coro<> { throw ValueError("no coroutine"); };
struct M { Coro<int> get(int) const override { fail(); } };
auto g = gather(create_task(a()), create_task(b()));
Coro<> c1() { std::lock_guard guard(mutex); co_await f(); }
Coro<> c2() { std::unique_lock<std::mutex> l(mutex); if (n > 0) { co_await f(); } }
Coro<> c3() { std::scoped_lock<std::mutex, std::mutex> both{a, b}; for (int i : all) co_await f(i); }
Coro<> c4() { state->mutex.lock(); co_await f(); state->mutex.unlock(); }
Coro<> c5() { std::unique_lock l(mutex, std::defer_lock); l.lock(); int n = co_await f(); }
AsyncGenerator<int> c6() { std::shared_lock l(mutex); co_yield 1; }
Coro<> c7() { if (std::lock_guard guard(mutex); n > 0) { co_await f(); } }
auto c8 = []() -> Coro<> { std::lock_guard guard(mutex); co_await f(); };
Coro<> c9() { std::unique_lock l(mutex); if (n > 0) { l.unlock(); return; } co_await f(); }
Coro<> d1() { auto guard = std::unique_lock(mutex); co_await f(); }
Coro<> d2() { auto guard = std::lock_guard<std::mutex>{mutex}; co_await f(); }
Coro<> d3() { if (std::unique_lock guard(mutex, std::try_to_lock); guard) co_await f(); }
Coro<> d4() { std::unique_lock<Padded<std::mutex>> guard(mutex); co_await f(); }
void e1(std::string n) { auto x = [n]() -> Coro<> { co_await f(n); }; create_task(x()); }
Task<> e2(std::string n) { const auto x = [&](int i) -> asyncio::Coro<> { co_await f(n, i); }; return create_task(x(1)); }
Coro<int> e3() { auto x = [this]() -> Coro<int> { co_return n; }; return x(); }
Coro<> e4() { co_await with(TaskGroup(), [&](TaskGroup& g) { auto x = [&]() -> Coro<> { co_await f(); }; g.create_task(x()); }); }
Coro<> e5() { co_await f(); auto x = [=]() -> Coro<> { co_await f(n); }; for (int i : all) { tasks.push_back(create_task(x(i))); } }
void e6() { std::function<Coro<>()> x = [n] { return f(n); }; tasks_.push_back(asyncio::ensure_future(x())); }
struct S { void e7() { auto x = [this]() -> Coro<> { co_await f(); }; all_ = gather(f(), x()); } };
Coro<> e8() { for (int i : all) { auto x = [i]() -> Coro<> { co_await f(i); }; create_task(x(), {.name = "x"}); } co_await g(); }
Coro<> g1() { [[maybe_unused]] auto guard = lock.guard(); co_await f(); }
Coro<> g2() { if (n > 0) { [[maybe_unused]] const auto slot = this->slots_->guard(); co_await f(); } auto slot = co_await s.guard(); }
Coro<> g3() { co_await with(group, [&](TaskGroup&) -> Coro<> { (void) lock.acquire(); co_await f(); }); }
Coro<> g4() { if ([[maybe_unused]] auto guard = condition.guard(); n > 0) { co_await f(); } }
Coro<> g5() { std::ignore = state(n).lock.guard(); co_await f(); }
auto g6 = [&]() -> Coro<> { auto guard [[maybe_unused]] = lock.guard(); co_await f(); };
Coro<> g7() { static_cast<void>(lock.acquire()); co_await f(); lock.release(); }
Coro<> g8() { auto guard = lock.guard(); (void) guard; co_await f(); }
Coro<> g9() { auto guard = lock.guard(); static_cast<void>(guard); co_await f(); }
"""


def self_test():
    assert not list(complaints(GOOD)), list(complaints(GOOD))
    lines = BAD.strip().splitlines()
    missed = [line for line in lines if not list(complaints(line))]
    assert not missed, missed
    assert len({line for line, _ in complaints(BAD)}) == len(lines), list(complaints(BAD))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    root = pathlib.Path(__file__).resolve().parent.parent
    tree_files = [path for folder in ("include", "src", "tests", "examples", "bench")
                  for pattern in ("*.h", "*.cpp") for path in (root / folder).rglob(pattern)]
    paths = arguments.files or sorted([*tree_files, *root.glob("README.md"), *root.glob("docs/*.md")])
    found = [f"{path}:{line}: {reason}" for path in paths for line, reason in complaints_of(path)]
    print("\n".join(found) or f"{len(paths)} files keep the rules of coroutines")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
