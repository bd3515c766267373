// Statements on futures set by hand, and on their callbacks.
#include "operations.h"
#include "run.h"

namespace conformance {

namespace {

void do_future(Run& run, const Node& s) {
    run.items.set(s[1], std::make_shared<Item>(Item{run.loop().create_future<int>()}));
}

void do_forget(Run& run, const Node& s) { run.items.set(s[1], nullptr); }

void do_set_result(Run& run, const Node& s) {
    ItemRef item = run.items.at(s[1]);
    if (item->kind != Item::Kind::number) return run.log("set_result", s[1].number, "no number");
    item->future.as<int>().set_result(s[2].number);
    run.log("set_result", s[1].number);
}

void do_set_exception(Run& run, const Node& s) {
    ItemRef item = run.items.at(s[1]);
    std::exception_ptr error = make_error(s[2]);
    if (item->kind == Item::Kind::mixed) {
        item->future.as<std::vector<asyncio::None>>().set_exception(error);
    } else if (item->kind == Item::Kind::mixed_results) {
        item->future.as<std::vector<asyncio::Result<asyncio::None>>>().set_exception(error);
    } else {
        with_type(*item, [&](const auto& future) {
            if constexpr (requires { future.set_exception(error); }) future.set_exception(error);
        });
    }
    run.log("set_exception", s[1].number);
}

void do_state(Run& run, const Node& s) { run.log("state", s[1].number, outcome(*run.items.at(s[1]))); }

void do_result(Run& run, const Node& s) { run.log("result", s[1].number, text_of_result(*run.items.at(s[1]))); }

void do_exception(Run& run, const Node& s) {
    std::exception_ptr error = run.items.at(s[1])->future.exception();
    run.log("exception", s[1].number, error ? describe(error) : "None");
}

void do_ensure_future(Run& run, const Node& s) {
    ItemRef item = run.items.at(s[2]);
    run.items.set(s[1], item);
    run.log("ensure_future", s[1].number, asyncio::ensure_future(item->future) == item->future);
}

/// Notes that it is called, and does what the program says. It holds no future, which might hold this.
class Called {
public:
    Called(Run& run, const Node& statement, const Item& item)
        : run_(&run), statement_(&statement), kind_(item.kind), parts_(item.parts.begin(), item.parts.end()) {
        run.old_parts.insert(run.old_parts.end(), item.parts.begin(), item.parts.end());
    }
    void operator()(const asyncio::AnyFuture& future) const {
        const Node& s = *statement_;
        Item item{future, kind_};
        for (const std::weak_ptr<Item>& part : parts_) item.parts.push_back(part.lock());
        run_->log("called", s[2].number, outcome(item), x_var.get(), y_var.get());
        run_->plain_block(s[4]);
    }

private:
    Run* run_;
    const Node* statement_;
    Item::Kind kind_;
    std::vector<std::weak_ptr<Item>> parts_;
};

void do_callback(Run& run, const Node& s) {
    ItemRef item = run.items.at(s[1]);
    asyncio::CallbackOptions options{.context = run.context_at(s[3])};
    asyncio::CallbackId id = item->future.add_done_callback(Called(run, s, *item), options);
    run.callbacks.set(s[2], std::make_shared<Run::Callback>(Run::Callback{item, id}));
}

void do_remove_callback(Run& run, const Node& s) {
    std::shared_ptr<Run::Callback> callback = run.callbacks.at(s[1]);
    run.log("remove_callback", s[1].number,
            static_cast<int>(callback->item->future.remove_done_callback(callback->id)));
}

}  // namespace

Operations future_operations() {
    return {{"future", plain<do_future>},         {"forget", plain<do_forget>},
            {"set_result", plain<do_set_result>}, {"set_exception", plain<do_set_exception>},
            {"state", plain<do_state>},           {"result", plain<do_result>},
            {"exception", plain<do_exception>},   {"ensure_future", plain<do_ensure_future>},
            {"callback", plain<do_callback>},     {"remove_callback", plain<do_remove_callback>}};
}

}  // namespace conformance
