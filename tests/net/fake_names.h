#pragma once

#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <vector>

namespace support {

/// A C library that knows the names below `.test` without a network: what it is asked, and a door that it waits at for
/// those that begin with `slow`. Never destroyed, since a look-up may outlive its test.
class FakeNames {
public:
    static FakeNames& instance() {
        static auto* const only = new FakeNames;
        return *only;
    }

    /// Closed at the beginning of each test.
    void begin_test() {
        std::lock_guard lock(mutex_);
        open_ = false;
        asked_.clear();
        threads_.clear();
    }
    void open() {
        std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    int times_asked(const std::string& name) {
        std::lock_guard lock(mutex_);
        return asked_[name];
    }
    std::vector<std::string> threads() {
        std::lock_guard lock(mutex_);
        return threads_;
    }
    /// Waits until so many questions have no answer yet. False if that takes too long.
    bool wait_until_pending(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return pending_ == count; });
    }

    /// In a forked child nobody waits at the door.
    void begin_in_child() noexcept { static_cast<void>(new (&changed_) std::condition_variable); }

    /// In the place of the C library: an EAI_ code, or zero for the loopback address.
    int ask(const std::string& name, const std::string& thread) {
        std::unique_lock lock(mutex_);
        ++asked_[name];
        threads_.push_back(thread);
        ++pending_;
        changed_.notify_all();
        if (name.starts_with("slow")) changed_.wait(lock, [this] { return open_; });
        --pending_;
        changed_.notify_all();
        return name.starts_with("none") ? EAI_NONAME : 0;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int pending_ = 0;
    std::map<std::string, int> asked_;
    std::vector<std::string> threads_;
};

}  // namespace support
