#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace inspect {

using Address = std::uint64_t;

/// Why nothing can be shown, in words for the user.
class Refusal : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The process is gone.
class Ended : public Refusal {
public:
    using Refusal::Refusal;
};

/// A file, or a part of one, in a process's memory.
struct Mapping {
    Address begin;
    Address end;
    std::uint64_t offset;
    std::string path;
};

/// A thread, as the system or the core file tells of it.
struct Thread {
    int number = 0;
    int own_number = 0;  // by which the process knows it: another one in a container, seen from outside
    std::string name;
    char state = '?';
    double cpu_seconds = 0;
};

/// The memory of a process or of a core file. It is copied in blocks, each once, until forget(): what is read between
/// is of one moment as nearly as can be, and a million objects cost some thousand system calls. Nothing that is in it
/// is believed: no address, no size.
class Memory {
public:
    virtual ~Memory() = default;

    /// False: not all of it is there.
    bool read(Address address, void* to, std::size_t size);
    template <class T>
    bool read(Address address, T& to) {
        static_assert(std::is_trivially_copyable_v<T>);
        return read(address, static_cast<void*>(&to), sizeof(T));
    }
    /// Up to so many bytes of the text at this address, without what could do something to a terminal; empty if there
    /// is none.
    std::string text(Address address, std::size_t most = 2000);
    /// The next read() looks again.
    void forget() noexcept { blocks_.clear(); }
    /// The same, and what is mapped and who is there is looked at anew: a plugin may have come, or another program be
    /// run by the process.
    void look_again() {
        forget();
        update();
    }
    void forget(Address address, std::size_t size) noexcept;

    virtual const std::vector<Mapping>& mappings() const = 0;
    virtual std::vector<Thread> threads() const = 0;
    virtual bool is_alive() const = 0;  // a process, which runs on while it is read
    virtual std::string title() const = 0;
    virtual int pid() const = 0;
    /// What CLOCK_MONOTONIC says there; 0: unknown.
    virtual std::int64_t monotonic_nanoseconds() const = 0;
    /// What the descriptor is, or nothing.
    virtual std::string descriptor(int) const { return {}; }

    static constexpr std::size_t page_bytes = 4096;
    static constexpr std::size_t block_pages = 16;

protected:
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    /// What is mapped, and who is there, is read anew. A core file stays as it is.
    virtual void update() {}
    /// Copies pages, of a page's size each, from the first on; returns how many were there.
    virtual std::size_t fetch(Address page, unsigned char* to, std::size_t pages) = 0;

private:
    static constexpr std::size_t block_bytes = page_bytes * block_pages;
    static constexpr std::size_t most_blocks = 4096;  // 256 MiB
    struct Block {
        std::array<unsigned char, block_bytes> bytes;
        std::uint32_t is_there = 0;  // a bit for each page
        std::uint32_t is_known = 0;
    };
    const unsigned char* page(Address address);
    std::unordered_map<Address, std::unique_ptr<Block>> blocks_;
};

/// The bytes of an object, copied at once.
class Object {
public:
    bool read(Memory& memory, Address address, std::size_t size) {
        address_ = address;
        size_ = size;
        return size <= sizeof bytes_ && memory.read(address, bytes_, size);
    }
    template <class T>
    T get(std::size_t offset) const noexcept {
        T value{};
        if (offset + sizeof(T) <= size_) std::memcpy(&value, bytes_ + offset, sizeof(T));
        return value;
    }
    Address pointer(std::size_t offset) const noexcept { return get<Address>(offset); }
    Address address() const noexcept { return address_; }

private:
    Address address_ = 0;
    std::size_t size_ = 0;
    unsigned char bytes_[512];
};

/// The same text as it may be printed: no control characters, valid UTF-8.
std::string clean(const std::string& text);

std::unique_ptr<Memory> open_process(int pid);
std::unique_ptr<Memory> open_core(const std::string& path);

}  // namespace inspect
