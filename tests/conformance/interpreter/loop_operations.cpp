#include "operations.h"
#include "run.h"

#include <cmath>

namespace conformance {

namespace {

std::size_t index(const Node& slot) { return static_cast<std::size_t>(slot.number); }

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
    run.handles.at(index(s[1])) =
        run.loop->call_soon(Scheduled(run, s[1].number, s[3]), {.context = run.context_at(s[2].number)});
}

void do_later(Run& run, const Node& s) {
    asyncio::TimerHandle handle = run.loop->call_later(s[2].number * tick.count(), Scheduled(run, s[1].number, s[3]));
    run.handles.at(index(s[1])) = handle;
    run.log("later", s[1].number, static_cast<int>(std::lround(handle.when().seconds() / tick.count())));
}

void do_at(Run& run, const Node& s) {
    run.handles.at(index(s[1])) =
        run.loop->call_at(run.loop->time() + s[2].number * tick.count(), Scheduled(run, s[1].number, s[3]));
}

void do_handle_cancel(Run& run, const Node& s) {
    const asyncio::Handle& handle = run.handles.at(index(s[1]));
    if (!handle) return run.log("handle_cancel", "none");
    bool before = handle.cancelled();
    handle.cancel();
    run.log("handle_cancel", s[1].number, before, handle.cancelled());
}

asyncio::ContextVar<int>& var_at(const Node& number) { return number.number == 0 ? x_var : y_var; }

void do_set_var(Run& run, const Node& s) {
    run.tokens.at(index(s[1])) = std::make_shared<asyncio::Token>(var_at(s[1]).set(s[2].number));
}

void do_get_var(Run& run, const Node& s) { run.log("get_var", s[1].number, var_at(s[1]).get()); }

void do_reset_var(Run& run, const Node& s) {
    if (!run.tokens.at(index(s[1]))) return;
    var_at(s[1]).reset(*run.tokens.at(index(s[1])));
    run.log("reset_var", s[1].number, var_at(s[1]).get());
}

void do_context(Run& run, const Node& s) {
    run.contexts.at(index(s[1])) = std::make_shared<asyncio::Context>(asyncio::copy_context());
}

void do_context_run(Run& run, const Node& s) {
    std::shared_ptr<asyncio::Context> context = run.contexts.at(index(s[1]));
    if (!context) return;
    context->run([&] { run.plain_block(s[2]); });
    run.log("context_run", s[1].number);
}

void do_eager_factory(Run& run, const Node& s) {
    if (s[1].number != 0) {
        run.loop->set_task_factory(asyncio::eager_task_factory);
    } else {
        run.loop->set_task_factory(nullptr);
    }
}

void do_report(Run& run, const Node& s) { run.loop->call_exception_handler({.message = s[1].text}); }

}  // namespace

Operations loop_operations() {
    return {.plain = {{"soon", noting<do_soon>},
                      {"later", noting<do_later>},
                      {"at", noting<do_at>},
                      {"handle_cancel", noting<do_handle_cancel>},
                      {"set_var", noting<do_set_var>},
                      {"get_var", noting<do_get_var>},
                      {"reset_var", noting<do_reset_var>},
                      {"context", noting<do_context>},
                      {"context_run", noting<do_context_run>},
                      {"eager_factory", noting<do_eager_factory>},
                      {"report", noting<do_report>}},
            .awaiting = {}};
}

}  // namespace conformance
