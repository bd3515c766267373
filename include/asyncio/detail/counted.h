#pragma once

#include <asyncio/detail/pool.h>

namespace asyncio::detail {
namespace bases {

/// What a `Ref` keeps, in one thread: it dies with the last of its references.
class Counted : public Pooled {
public:
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ == 0) delete this;
    }

protected:
    explicit Counted(unsigned references = 0) noexcept : references_(references) {}
    virtual ~Counted() = default;

private:
    unsigned references_;
};

}  // namespace bases
using bases::Counted;

}  // namespace asyncio::detail
