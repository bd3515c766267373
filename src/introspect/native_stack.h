#pragma once

#include <string>
#include <vector>

namespace asyncio::detail {

/// Where a thread stands, of which it is asked by a signal: from its making until its end the signal is ours.
class NativeStack {
public:
    /// Of the thread that makes it. RuntimeError if somebody else handles the signal; 0: SIGURG.
    explicit NativeStack(int signal);
    ~NativeStack();
    NativeStack(const NativeStack&) = delete;
    NativeStack& operator=(const NativeStack&) = delete;

    /// From another thread; empty if it does not answer within a second.
    std::vector<std::string> ask() const;

private:
    int signal_;
    unsigned long thread_;
};

}  // namespace asyncio::detail
