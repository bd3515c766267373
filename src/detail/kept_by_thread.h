#pragma once

namespace asyncio::detail {

/// An object of each thread, for as long as it runs. Null behind that, where destructors of static objects still do
/// this and that. A thread_local std::unique_ptr would not say so: its destructor's store of null is left out by g++
/// at -O2.
template <class T>
class KeptByThread {
public:
    static T* get_or_null() noexcept {
        static thread_local Kept kept;
        return is_gone ? nullptr : &kept.object;
    }

private:
    struct Kept {
        T object;
        ~Kept() { is_gone = true; }
    };
    static constinit inline thread_local bool is_gone = false;
};

}  // namespace asyncio::detail
