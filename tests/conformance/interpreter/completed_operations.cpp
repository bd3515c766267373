// Statements on as_completed.
#include "completed.h"
#include "operations.h"
#include "run.h"

namespace conformance {

using asyncio::Coro;

namespace {

template <class Iteration>
class CompletedOf final : public Completed {
public:
    CompletedOf(Run& run, Iteration iteration, Sources sources)
        : run_(run), iteration_(std::move(iteration)), sources_(std::move(sources)) {}

    Coro<bool> step(std::string_view mode) override {
        if (mode == "async") return handle();
        return mode == "plain" ? value() : drop();
    }

private:
    Coro<bool> value() {
        auto begin = iteration_.begin();
        if (!(begin != iteration_.end())) co_return false;
        auto step = *begin;
        try {
            if constexpr (std::is_void_v<asyncio::await_result_t<decltype(step)>>) {
                co_await step;
                run_.log("completed", "-");
            } else {
                int value = co_await step;
                run_.log("completed", value);
            }
        } catch (const std::exception&) {
            run_.log("completed", "!", describe(std::current_exception()));
        }
        co_return true;
    }
    Coro<bool> handle() {
        auto next = co_await iteration_.next();
        if (!next) co_return false;
        std::vector<int> which;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (sources_.is_item(i) && sources_.item(i)->future == *next) which.push_back(static_cast<int>(i));
        }
        std::string shown = "-";
        if constexpr (requires { next->result() + 0; }) shown = outcome(Item{*next});
        run_.log("completed", text_of_list(which), shown);
        co_return true;
    }
    Coro<bool> drop() {
        auto begin = iteration_.begin();
        if (!(begin != iteration_.end())) co_return false;
        static_cast<void>(*begin);
        run_.log("completed", "dropped");
        co_return true;
    }

    Run& run_;
    Iteration iteration_;
    Sources sources_;
};

template <class Awaitables>
std::shared_ptr<Completed> begin(Run& run, Sources sources, Awaitables awaitables, const Node& ticks) {
    auto iteration = asyncio::as_completed(std::move(awaitables), {.timeout = limit(ticks)});
    return std::make_shared<CompletedOf<decltype(iteration)>>(run, std::move(iteration), std::move(sources));
}

Coro<Flow> do_as_completed(Run& run, const Node& s) {
    std::shared_ptr<Completed> completed = begin_completed(run, s[1], s[2]);
    int count = 0;
    while (true) {
        bool found = co_await completed->step(s[3].text);
        if (!found || ++count == s[4].number) break;
    }
    run.log("as_completed", count);
    co_return std::nullopt;
}

void do_completing(Run& run, const Node& s) {
    run.completions.set(s[1], begin_completed(run, s[2], s[3]));
    run.log("completing", s[1].number);
}

Coro<Flow> do_completed(Run& run, const Node& s) {
    std::shared_ptr<Completed> completed = run.completions.at(s[1]);
    bool found = co_await completed->step(s[2].text);
    if (!found) run.log("completed", s[1].number, "over");
    co_return std::nullopt;
}

}  // namespace

std::shared_ptr<Completed> begin_completed(Run& run, const Node& list, const Node& ticks) {
    Sources sources(run, list, nullptr);
    if (!sources.all_numbers()) {
        std::vector<ItemRef> parts;
        std::vector<asyncio::AnyFuture> futures = sources.futures(parts);
        return begin(run, std::move(sources), std::move(futures), ticks);
    }
    if (sources.all_coroutines()) {
        std::vector<Coro<int>> coroutines = sources.coroutines();
        return begin(run, std::move(sources), std::move(coroutines), ticks);
    }
    std::vector<asyncio::Future<int>> futures = sources.numbers();
    return begin(run, std::move(sources), std::move(futures), ticks);
}

Operations completed_operations() {
    return {{"as_completed", awaiting<do_as_completed>},
            {"completing", plain<do_completing>},
            {"completed", awaiting<do_completed>}};
}

}  // namespace conformance
