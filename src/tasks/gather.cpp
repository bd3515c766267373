#include <asyncio/tasks/gather.h>

#include "core/task_loop.h"

#include <new>
#include <utility>

namespace asyncio::detail {

GatherChild::GatherChild() noexcept : ReadyNode(&GatherChild::is_done) {}

void GatherChild::is_done(ReadyNode& node) {
    auto& child = static_cast<GatherChild&>(node);
    child.gathering_->child_is_done(child);
}

namespace {

/// What is left of a gather that is done, at a child that is not: looks at the child's exception in its turn.
class LooksLater final : public DoneCallback {
public:
    LooksLater() : DoneCallback(ContextRef()) {}
    void call(Ref<FutureBase> future) override { future->mark_retrieved(); }
};

}  // namespace

FutureBase* Gathering::awaited(std::size_t index) const noexcept {
    const GatherChild& child = children_[index];
    return child.future_ && (child.is_linked() || !child.future_->done()) ? child.future_.get() : nullptr;
}

/// A callback of a child that keeps the outer future, of which there is no handle any more.
class Gathering::Link final : public DoneCallback {
public:
    Link(Gathering& gathering, GatherChild& child)
        : DoneCallback(ContextRef()), outer_(&gathering.outer_), gathering_(gathering), child_(child) {}
    void call(Ref<FutureBase> future) override {
        child_.future_ = std::move(future);
        gathering_.child_is_done(child_);
    }

private:
    Ref<FutureBase> outer_;
    Gathering& gathering_;
    GatherChild& child_;
};

Gathering::Gathering(FutureBase& outer, bool return_exceptions) noexcept
    : outer_(outer), return_exceptions_(return_exceptions) {}

void Gathering::set_children(GatherChild* children, std::size_t size) noexcept {
    children_ = children;
    size_ = size;
}

void Gathering::add(Ref<FutureBase> future, bool made_here) {
    GatherChild& child = children_[added_++];
    child.gathering_ = this;
    // The caller cannot see a task that was made here, so there is no point in complaining about its fate.
    if (made_here) static_cast<TaskBase&>(*future).do_not_report_pending();
    if (!future->done()) future->add_node(child);
    child.future_ = std::move(future);
}

void Gathering::begin() {
    begun_ = true;
    for (GatherChild* child = children_; child != children_ + size_; ++child) {
        // The outer one may have failed on the way, and let go of those that are not done.
        if (child->future_ && child->future_->done() && !child->is_linked()) child_is_done(*child);
    }
}

void Gathering::child_is_done(GatherChild& child) {
    child.reported_ = true;
    ++finished_;
    FutureBase& future = *child.future_;
    bool is_one_of_many = begun_ && finished_ < size_ && !outer_.done();
    if (is_one_of_many && !future.cancelled() && !future.peek_exception()) return;
    Ref<FutureBase> keep(&outer_);
    if (!begun_ || outer_.done()) {
        future.mark_retrieved();
        child.future_ = nullptr;
        return;
    }
    if (!return_exceptions_) {
        if (future.cancelled()) return outer_.set_exception(future.make_cancelled_error());
        if (future.peek_exception()) return outer_.set_exception(future.exception());
    }
    if (finished_ == size_) conclude();
}

void Gathering::conclude() {
    if (!cancel_requested_) {
        try {
            store_results();
        } catch (...) {
            return outer_.set_exception(std::current_exception());
        }
        return outer_.finish();
    }
    for (GatherChild* child = children_; child != children_ + size_; ++child) child->future_->mark_retrieved();
    // Python takes the message of the last child, cancelled or not.
    FutureBase& last = *children_[size_ - 1].future_;
    outer_.set_exception(last.cancelled() ? last.make_cancelled_error()
                                          : std::make_exception_ptr(CancelledError(last.cancel_request())));
}

/// The outer future is done and holds its children no longer: one of them, or what holds it, may be held by a child
/// that is not done, and that by its callbacks holds this one.
void Gathering::let_go() noexcept {
    for (GatherChild* child = children_; child != children_ + size_; ++child) {
        if (child->is_linked()) {
            Ref<FutureBase> future = std::move(child->future_);
            try {
                future->replace_node(*child, *new LooksLater);
            } catch (const std::bad_alloc&) {
                child->unlink();
                future->forget_exception();
            }
        } else if (child->reported_) {
            child->future_ = nullptr;
        }
    }
}

bool Gathering::cancel_children(const Ref<CancelRequest>& request) {
    if (outer_.done()) return false;
    constexpr int deepest = 1000;
    int& depth = task_loop(outer_.loop()).cancel_depth;
    if (depth >= deepest) throw RuntimeError("cannot cancel: the gathered futures wait for each other in a circle");
    class Depth {
    public:
        explicit Depth(int& counter) : counter_(counter) { ++counter_; }
        ~Depth() { --counter_; }

    private:
        int& counter_;
    };
    Depth deeper(depth);
    bool any = false;
    for (GatherChild* child = children_; child != children_ + size_; ++child) {
        if (child->future_->cancel(request)) any = true;
    }
    if (any) cancel_requested_ = true;
    return any;
}

bool Gathering::pass_to_children() noexcept {
    if (passed_to_children_ || finished_ == size_ || outer_.loop().is_closed()) return false;
    passed_to_children_ = true;
    Ref<FutureBase> keep(&outer_);
    for (GatherChild* child = children_; child != children_ + size_; ++child) {
        if (child->reported_ || !child->is_linked()) continue;
        Link* link = nullptr;
        try {
            link = new Link(*this, *child);
        } catch (const std::bad_alloc&) {
            continue;  // it does not keep the gathering alive: if nothing does, the children tell of their errors
        }
        Ref<FutureBase> future = std::move(child->future_);
        future->replace_node(*child, *link);
    }
    return true;
}

std::exception_ptr gathered_exception(FutureBase& child) {
    if (!child.cancelled()) return child.exception();
    // That of a task is for the first who asks for its error, and gather() does not.
    bool is_for_another = child.peek_exception() != nullptr;
    const Ref<CancelRequest>& request = child.cancel_request();
    bool has_message = !is_for_another && request && request->message;
    return std::make_exception_ptr(has_message ? CancelledError(request) : CancelledError(""));
}

}  // namespace asyncio::detail
