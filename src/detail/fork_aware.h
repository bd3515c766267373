#pragma once

#include <asyncio/detail/intrusive_list.h>

#include <mutex>

namespace asyncio::detail {

/// While it lives no other thread forks: what is opened and noted, or closed and forgotten, cannot be half done in a
/// child. Nothing may be done under it that takes a lock of the library's, and so no use of the pool.
class NoFork {
public:
    NoFork() noexcept;
    ~NoFork();
    NoFork(const NoFork&) = delete;
    NoFork& operator=(const NoFork&) = delete;

private:
    const bool locked_;
};

/// Something that a forked child has to put right. A child begins with a copy of all memory, but with the thread alone
/// that forked: what other threads were about stands still for ever. And its descriptors are the parent's: what the
/// child does to an epoll, a ring or a pipe happens to the parent.
///
/// The handlers run inside fork(), where the C library's locks may not be there: they only lock, close and set.
class ForkAware : public ListHook<ForkAware> {
public:
    /// Takes the locks that other threads might hold at that moment.
    virtual void before_fork() noexcept {}
    virtual void after_fork_in_parent() noexcept {}
    virtual void after_fork_in_child() noexcept = 0;

protected:
    ForkAware() noexcept = default;
    ~ForkAware() = default;
    /// At the end of the constructor, and at the beginning of the destructor: another thread may fork at any time. If
    /// there is something that the child must not keep, together with its opening and its closing.
    void begin_to_follow_forks() noexcept;
    void end_to_follow_forks() noexcept;
    void begin_to_follow_forks(const NoFork&) noexcept;
    void end_to_follow_forks(const NoFork&) noexcept;
    ForkAware(const ForkAware&) = delete;
    ForkAware& operator=(const ForkAware&) = delete;
};

/// Another in a forked child than in its parent.
unsigned fork_generation() noexcept;

/// A mutex for an object of a kind of which there are many, each locked for a moment only: it is free in a forked
/// child. Others may have the same, so nobody may hold two.
std::mutex& fork_safe_mutex_of(const void* object) noexcept;

}  // namespace asyncio::detail
