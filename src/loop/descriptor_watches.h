#pragma once

#include <asyncio/loop/handle.h>
#include <asyncio/loop/io_backend.h>
#include <asyncio/loop/loop_resource.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace asyncio::detail {

/// The callbacks on file descriptors (add_reader() and add_writer()), and who has which descriptor for itself.
class DescriptorWatches {
public:
    explicit DescriptorWatches(LoopCore& loop) noexcept : loop_(loop) {}

    /// Throws RuntimeError if somebody else than `user` has the descriptor for itself.
    void watch(int fd, bool for_writing, Ref<HandleBase> handle, const LoopResource* user = nullptr);
    /// False if nobody watched.
    bool unwatch(int fd, bool for_writing, const LoopResource* user = nullptr);
    /// The backend saw something on a watched descriptor.
    void dispatch(const IoEvent& event) noexcept;
    bool empty() const noexcept { return watches_.empty(); }
    /// Drops all callbacks.
    void clear() noexcept {
        if (!watches_.empty()) drop_all();
    }

    /// Who has the descriptor for itself; null for nobody.
    void set_user(int fd, const LoopResource* user);
    /// Throws RuntimeError if somebody else has.
    void check_has_no_user(int fd, const LoopResource* but = nullptr) const;

    /// Whether so many have been found ready in one pass, without a wait, that others must have their turn.
    bool is_ready_too_often() noexcept;

private:
    struct Watch {
        Ref<HandleBase> reader;
        Ref<HandleBase> writer;
    };
    void make_ready(int fd, bool for_writing, HandleBase& handle) noexcept;
    bool drop(int fd, bool for_writing);
    void drop_all() noexcept;
    void stop_again(int fd, const Watch& watch) noexcept;

    LoopCore& loop_;
    std::unordered_map<int, Watch> watches_;
    std::vector<const LoopResource*> users_;  // by descriptor
    std::uint64_t pass_ = 0;                  // in which so many were found ready:
    int found_ready_ = 0;
};

}  // namespace asyncio::detail
