#include <asyncio/tasks/shield.h>

namespace asyncio::detail {

class Shield::Link final : public DoneCallback {
public:
    explicit Link(Shield& shield) : DoneCallback(ContextRef()), outer_(&shield.outer_), shield_(shield) {}
    ~Link() override { shield_.link_ = nullptr; }  // called, cancelled, or gone with the inner future
    void call(Ref<FutureBase> inner) override { shield_.inner_is_done(*inner); }

private:
    Ref<FutureBase> outer_;
    Shield& shield_;
};

void Shield::watch(FutureBase& inner) {
    if (inner.done()) return inner_is_done(inner);  // only of an unknown type: its value cannot be passed on
    inner_ = &inner;
    link_ = new Link(*this);
    inner.add_done_callback(*link_);
    outer_.add_node(outer_done_);
}

void Shield::inner_is_done(FutureBase& inner) {
    if (outer_.cancelled()) return;
    if (inner.cancelled()) {
        outer_.FutureBase::cancel(nullptr);
    } else if (inner.peek_exception()) {
        outer_.set_exception(inner.exception());
    } else {
        outer_.check_settable("set_result");  // somebody may have set it by hand
        try {
            copy_result(inner);
        } catch (...) {
            return outer_.set_exception(std::current_exception());
        }
        outer_.finish();
    }
}

void Shield::outer_is_done(ReadyNode& node) {
    Shield& shield = static_cast<OuterDone&>(node).shield;
    if (shield.link_ != nullptr && !shield.inner_->done()) delete shield.link_;  // and with it, perhaps, the shield
}

}  // namespace asyncio::detail
