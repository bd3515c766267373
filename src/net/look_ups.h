#pragma once

#include "detail/fork_aware.h"
#include "loop/loop_service.h"

#include <asyncio/core/executor_call.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/executor.h>
#include <asyncio/net/dns.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::detail {

class LookUpCall;
struct LookUpsUnderWay;  // the tag of the loop's list of them

/// A question that is asked of the C library, and who waits for its answer. On the loop's thread only.
class LookUp : public ListHook<LookUpsUnderWay>, public Pooled {
public:
    LookUp(LoopCore& loop, const AddressQuery& query);
    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ == 0) delete this;
    }
    /// The answer: a vector of AddressInfos.
    const Ref<FutureBase>& future() const noexcept { return future_; }

private:
    friend class LookUps;
    friend class LookUpWait;
    bool asks(const AddressQuery& query) const noexcept;
    bool is_under_way() const noexcept;
    void somebody_waits() noexcept;
    void somebody_left() noexcept;
    void forget() noexcept;

    LoopCore& loop_;
    AddressQuery query_;
    Ref<FutureBase> future_;
    LookUpCall* call_ = nullptr;  // there until the future is done or the loop closed; null when it was given up
    unsigned waiting_ = 0;
    unsigned references_ = 0;
};

/// Counts as somebody who waits for the answer.
class LookUpWait {
public:
    explicit LookUpWait(Ref<LookUp> look_up) noexcept : look_up_(std::move(look_up)) { look_up_->somebody_waits(); }
    ~LookUpWait() { look_up_->somebody_left(); }
    LookUpWait(const LookUpWait&) = delete;
    LookUpWait& operator=(const LookUpWait&) = delete;
    const Ref<FutureBase>& future() const noexcept { return look_up_->future(); }

private:
    Ref<LookUp> look_up_;
};

/// The look-ups of one loop, on a few threads that do nothing else: a name does not queue behind the work of
/// `to_thread()`, and nobody has to wait for one that never ends. Whoever asks what is being asked already waits for
/// the same answer.
class LookUps final : public LoopService, private ForkAware, public Pooled {
public:
    static constexpr char service_kind[] = "LookUps";
    explicit LookUps(LoopCore& loop) noexcept : LoopService(service_kind), loop_(loop) { begin_to_follow_forks(); }

    Ref<LookUp> find_or_begin(const AddressQuery& query);
    /// Where they run; null: on the executor that the user has given the loop, who wants all that blocks there.
    Executor* executor();

    void loop_is_closing() noexcept override;

private:
    ~LookUps();
    void after_fork_in_child() noexcept override { has_forked_ = true; }
    using Line = IntrusiveList<LookUp, LookUpsUnderWay>;
    Line& line_of(const AddressQuery& query) noexcept;
    void forget_all() noexcept;

    static constexpr int most_threads = 8;
    LoopCore& loop_;
    std::optional<ThreadPoolExecutor> threads_;
    std::array<Line, 512> under_way_;  // by the host's name, for tens of thousands; has a share of each
    bool has_forked_ = false;          // what was under way has no thread here
};

/// Asks the C library, which blocks. Throws gaierror.
std::vector<AddressInfo> look_up_or_throw(const AddressQuery& query);

}  // namespace asyncio::detail
