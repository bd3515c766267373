// Statements on the loop: scheduled calls, contexts, the exception handler.
#include "operations.h"
#include "run.h"

#include <cmath>

namespace conformance {

namespace {

/// A callback that notes that it runs, and does what the program says.
class Scheduled {
public:
    Scheduled(Run& run, int number, const Node& block) : run_(&run), number_(number), block_(&block) {}
    void operator()() const {
        run_->log("ran", number_, x_var.get(), y_var.get());
        run_->plain_block(*block_);
    }

private:
    Run* run_;
    int number_;
    const Node* block_;
};

void do_soon(Run& run, const Node& s) {
    Scheduled callback(run, s[1].number, s[4]);
    asyncio::CallbackOptions options{.context = run.context_at(s[3])};
    asyncio::Handle handle =
        s[2].number != 0 ? run.loop().call_soon_threadsafe(callback, options) : run.loop().call_soon(callback, options);
    run.handles.set(s[1], std::make_shared<asyncio::Handle>(handle));
}

void do_later(Run& run, const Node& s) {
    asyncio::TimerHandle handle = run.loop().call_later(s[2].number * tick.count(), Scheduled(run, s[1].number, s[4]),
                                                        {.context = run.context_at(s[3])});
    run.handles.set(s[1], std::make_shared<asyncio::Handle>(handle));
    run.log("later", s[1].number, static_cast<int>(std::lround(handle.when().seconds() / tick.count())));
}

void do_at(Run& run, const Node& s) {
    asyncio::TimePoint when = run.loop().time() + s[2].number * tick.count();
    asyncio::Handle handle =
        run.loop().call_at(when, Scheduled(run, s[1].number, s[4]), {.context = run.context_at(s[3])});
    run.handles.set(s[1], std::make_shared<asyncio::Handle>(handle));
}

void do_handle_cancel(Run& run, const Node& s) {
    asyncio::Handle handle = *run.handles.at(s[1]);
    bool before = handle.cancelled();
    handle.cancel();
    run.log("handle_cancel", s[1].number, before, handle.cancelled());
}

asyncio::ContextVar<int>& var_at(const Node& number) {
    switch (number.number) {
        case 0:
            return x_var;
        case 1:
            return y_var;
        default:
            return z_var;
    }
}

void do_set_var(Run& run, const Node& s) {
    run.tokens.set(s[1], std::make_shared<asyncio::Token>(var_at(s[1]).set(s[2].number)));
}

void do_get_var(Run& run, const Node& s) { run.log("get_var", s[1].number, var_at(s[1]).get()); }

std::string value_or_none(const std::optional<int>& value) { return value ? text(*value) : "none"; }

void do_reset_var(Run& run, const Node& s) {
    var_at(s[1]).reset(*run.tokens.at(s[1]));
    constexpr int none = -1;
    int value = var_at(s[1]).get(none);
    run.log("reset_var", s[1].number, value == none ? "none" : text(value));
}

void do_context(Run& run, const Node& s) {
    run.contexts.set(s[1], std::make_shared<asyncio::Context>(asyncio::copy_context()));
}

void do_context_run(Run& run, const Node& s) {
    std::shared_ptr<asyncio::Context> context = run.contexts.at(s[1]);
    context->run([&] { run.plain_block(s[2]); });
    run.log("context_run", s[1].number);
}

void do_context_get(Run& run, const Node& s) {
    run.log("context_get", s[1].number, s[2].number, value_or_none(run.contexts.at(s[1])->get(var_at(s[2]))));
}

void do_report(Run& run, const Node& s) { run.loop().call_exception_handler({.message = s[1].text}); }

void do_handler(Run& run, const Node& s) { run.trace.set_handler_mode(s[1].number); }

void do_stop(Run& run, const Node&) {
    run.loop().stop();
    run.log("stop");
}

}  // namespace

Operations callback_operations() {
    return {{"soon", plain<do_soon>},
            {"later", plain<do_later>},
            {"at", plain<do_at>},
            {"handle_cancel", plain<do_handle_cancel>},
            {"set_var", plain<do_set_var>},
            {"get_var", plain<do_get_var>},
            {"reset_var", plain<do_reset_var>},
            {"context", plain<do_context>},
            {"context_run", plain<do_context_run>},
            {"context_get", plain<do_context_get>},
            {"report", plain<do_report>},
            {"handler", plain<do_handler>},
            {"stop", plain<do_stop>}};
}

}  // namespace conformance
