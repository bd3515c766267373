#include "net/look_ups.h"

#include "loop/loop_core.h"

#include <atomic>
#include <functional>
#include <utility>

namespace asyncio::detail {

class LookUpCall final : public ExecutorCall {
public:
    explicit LookUpCall(const AddressQuery& query) : query_(query) {}
    const std::type_info& callable_type() const noexcept override { return typeid(AddressQuery); }

private:
    void call() override {
        if (!in_vain_.load(std::memory_order_relaxed)) found_ = look_up_or_throw(query_);
    }
    void drop_callable() noexcept override {}
    void store_result(FutureBase& future) override {
        slot_of<std::vector<AddressInfo>>(future).emplace(std::move(found_));
    }
    void ask_to_stop() noexcept override { in_vain_.store(true, std::memory_order_relaxed); }

    const AddressQuery query_;
    std::vector<AddressInfo> found_;
    std::atomic<bool> in_vain_ = false;  // nobody will look at the answer
};

namespace {

bool same(Host a, Host b) noexcept { return a.has_value() == b.has_value() && a.name() == b.name(); }

bool same(Port a, Port b) noexcept {
    if (a.has_value() != b.has_value() || a.is_number() != b.is_number()) return false;
    return a.is_number() ? a.number() == b.number() : a.service() == b.service();
}

}  // namespace

LookUp::LookUp(LoopCore& loop, const AddressQuery& query)
    : loop_(loop), query_(query), future_(new FutureState<std::vector<AddressInfo>>(loop)) {
    future_->forget_exception();  // it may be that nobody waits any more when it fails
}

bool LookUp::asks(const AddressQuery& query) const noexcept {
    return same(query_.host.get(), query.host.get()) && same(query_.port.get(), query.port.get()) &&
           query_.family == query.family && query_.type == query.type && query_.proto == query.proto &&
           query_.flags == query.flags;
}

/// A loop that closes gives up its calls first, and its look-ups after other things.
bool LookUp::is_under_way() const noexcept { return call_ != nullptr && !loop_.is_closed() && !future_->done(); }

void LookUp::somebody_waits() noexcept {
    if (waiting_++ == 0 && is_under_way()) call_->set_counted(true);
}

/// One that was begun goes on when nobody waits for it any more, for who asks next: else those who give up and try
/// again would take one thread after the other for a name server that is silent.
void LookUp::somebody_left() noexcept {
    if (--waiting_ > 0) return;
    if (is_under_way() && call_->has_begun()) return call_->set_counted(false);
    if (is_under_way()) future_->cancel(nullptr);
    forget();
}

void LookUp::forget() noexcept {
    call_ = nullptr;
    if (!is_linked()) return;
    unlink();
    dec_ref();
}

LookUps::~LookUps() {
    end_to_follow_forks();
    forget_all();
    if (threads_) threads_->shutdown(false);
}

void LookUps::forget_all() noexcept {
    for (Line& line : under_way_) {
        while (!line.empty()) line.front().forget();
    }
}

LookUps::Line& LookUps::line_of(const AddressQuery& query) noexcept {
    return under_way_[std::hash<std::string_view>()(query.host.get().name()) % under_way_.size()];
}

void LookUps::loop_is_closing() noexcept { delete this; }

Executor* LookUps::executor() {
    const Executor* of_loop = loop_.outside().executor_or_null();
    if (of_loop != nullptr && of_loop != loop_.outside().own_executor().get()) return nullptr;
    if (!threads_) threads_.emplace(most_threads, "asyncio-dns");
    return &*threads_;
}

Ref<LookUp> LookUps::find_or_begin(const AddressQuery& query) {
    if (std::exchange(has_forked_, false)) forget_all();
    Line& line = line_of(query);
    for (auto next = line.begin(); next != line.end();) {
        LookUp& look_up = *next;
        ++next;
        if (!look_up.is_under_way()) {
            look_up.forget();
        } else if (look_up.asks(query)) {
            return Ref<LookUp>(&look_up);
        }
    }
    Ref<LookUp> look_up(new LookUp(loop_, query));
    Executor* threads = executor();
    auto* call = new LookUpCall(query);  // submit() takes it over
    call->submit(loop_, threads, look_up->future_);
    if (look_up->future_->done()) return look_up;  // an executor that runs it at once
    look_up->call_ = call;
    look_up->inc_ref();
    line.push_back(*look_up);
    return look_up;
}

}  // namespace asyncio::detail
