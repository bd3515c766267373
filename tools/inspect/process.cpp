#include "memory.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace inspect {
namespace {

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// A field of /proc/PID/stat, counted from the state, which is 0: names may have brackets and blanks in them.
std::string stat_field(const std::string& stat, int index) {
    std::size_t end_of_name = stat.rfind(')');
    if (end_of_name == std::string::npos) return {};
    std::istringstream rest(stat.substr(end_of_name + 1));
    std::string field;
    for (int i = 0; i <= index; ++i) rest >> field;
    return field;
}

/// "0100007F:1F90" is 127.0.0.1:8080; each four bytes of the address are a number as this machine writes it.
std::string address_of(const std::string& hex) {
    std::size_t colon = hex.find(':');
    unsigned port = 0;
    std::uint32_t words[4];
    bool is_known = (colon == 8 || colon == 32) && std::sscanf(hex.c_str() + colon, ":%4X", &port) == 1;
    for (std::size_t i = 0; is_known && i < colon / 8; ++i)
        is_known = std::sscanf(hex.c_str() + 8 * i, "%8" SCNx32, &words[i]) == 1;
    char text[INET6_ADDRSTRLEN];
    if (!is_known || ::inet_ntop(colon == 8 ? AF_INET : AF_INET6, words, text, sizeof text) == nullptr)
        return "port " + hex.substr(hex.rfind(':') + 1);
    return (colon == 8 ? std::string(text) : "[" + std::string(text) + "]") + ":" + std::to_string(port);
}

/// By which number a process or thread knows itself, whatever its number is here; 0: that is not known.
int innermost_number(const std::string& status) {
    std::ifstream file(status);
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with("NSpid:")) return std::atoi(line.c_str() + line.find_last_of(" \t") + 1);
    }
    return 0;
}

class Process final : public Memory {
public:
    explicit Process(int pid)
        : pid_(pid), thread_(pid), folder_("/proc/" + std::to_string(pid) + "/"), shown_(folder_) {
        begun_ = stat_field(first_line(folder_ + "stat"), 19);
        if (begun_.empty()) throw Refusal("there is no process " + std::to_string(pid));
        update();
    }

    const std::vector<Mapping>& mappings() const override { return mappings_; }
    bool is_alive() const override { return true; }
    int pid() const override { return pid_; }
    std::string title() const override {
        return "process " + std::to_string(pid_) + " (" + clean(first_line(folder_ + "comm")) + ")";
    }
    std::int64_t monotonic_nanoseconds() const override {
        timespec now = {};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        return std::int64_t(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
    }

    std::vector<Thread> threads() const override {
        std::vector<Thread> found;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(folder_ + "task", error)) {
            Thread thread;
            std::string number = entry.path().filename();
            std::from_chars(number.data(), number.data() + number.size(), thread.number);
            thread.own_number = is_in_container_ ? innermost_number(entry.path() / "status") : thread.number;
            thread.name = clean(first_line(entry.path() / "comm"));
            std::string stat = first_line(entry.path() / "stat");
            std::string state = stat_field(stat, 0);
            if (!state.empty()) thread.state = state[0];
            double ticks = std::atof(stat_field(stat, 11).c_str()) + std::atof(stat_field(stat, 12).c_str());
            thread.cpu_seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
            found.push_back(thread);
        }
        return found;
    }

    std::string descriptor(int fd) const override {
        std::error_code error;
        std::string what = std::filesystem::read_symlink(shown_ + "fd/" + std::to_string(fd), error);
        if (error || !what.starts_with("socket:[")) return clean(what);
        std::string peer = peer_of(what.substr(8, what.size() - 9));
        return peer.empty() ? what : peer;
    }

    /// Throws if the process is gone, or its number is another's by now.
    void check_is_there() const {
        std::string stat = first_line(folder_ + "stat");
        bool is_over = stat_field(stat, 0) == "Z" && living_thread() == 0;
        if (stat.empty() || is_over || stat_field(stat, 19) != begun_) refuse_ended();
    }
    [[noreturn]] void refuse_ended() const {
        throw Ended("process " + std::to_string(pid_) + " ended while it was read");
    }

private:
    void update() override {
        std::string stat = first_line(folder_ + "stat");
        if (stat_field(stat, 19) != begun_) refuse_ended();
        if (stat_field(stat, 0) == "Z") {  // at least its main thread has ended, and shows nothing any more
            thread_ = living_thread();
            if (thread_ == 0) {
                throw Ended("process " + std::to_string(pid_) +
                            " has ended, and only waits for its parent to take note");
            }
            shown_ = folder_ + "task/" + std::to_string(thread_) + "/";
        }
        int own_number = innermost_number(folder_ + "status");
        is_in_container_ = own_number != 0 && own_number != pid_;
        read_maps();
    }

    /// 0: none is left.
    int living_thread() const {
        for (const Thread& thread : threads()) {
            if (thread.state != 'Z' && thread.state != 'X') return thread.number;
        }
        return 0;
    }

    void read_maps() {
        mappings_.clear();
        std::ifstream file(shown_ + "maps");
        std::string line;
        bool any = false;
        while (std::getline(file, line)) {
            any = true;
            unsigned long long begin = 0;
            unsigned long long end = 0;
            unsigned long long offset = 0;
            int path_at = 0;
            if (std::sscanf(line.c_str(), "%llx-%llx %*s %llx %*s %*s %n", &begin, &end, &offset, &path_at) < 3)
                continue;
            std::string path = path_at > 0 ? line.substr(static_cast<std::size_t>(path_at)) : "";
            if (!path.empty()) mappings_.push_back({begin, end, offset, path});
        }
        if (!any) refuse_or_explain();
    }

    /// The system shows nothing: why?
    void refuse_or_explain() const {
        check_is_there();
        if (::access((shown_ + "maps").c_str(), R_OK) != 0 || !std::ifstream(shown_ + "maps")) refuse_permission();
        throw Refusal(title() + " has no memory of its own: it belongs to the kernel, or is just ending");
    }
    [[noreturn]] void refuse_permission() const {
        std::string scope = first_line("/proc/sys/kernel/yama/ptrace_scope");
        std::string why = title() + " may not be looked at by you: ";
        if (!scope.empty() && scope != "0") {
            why += "/proc/sys/kernel/yama/ptrace_scope is " + scope +
                   (scope == "1"   ? ", which allows it to parents and root alone: try sudo, or set it to 0"
                    : scope == "2" ? ", which allows it to root alone: try sudo"
                                   : ", which allows it to nobody until the next boot");
        } else {
            why +=
                "it is another user's, or has more rights than you: try sudo (it takes what attaching a debugger "
                "takes)";
        }
        throw Refusal(why);
    }

    std::size_t fetch(Address page, unsigned char* to, std::size_t pages) override {
        iovec local = {to, pages * page_bytes};
        iovec remote[block_pages];
        for (std::size_t i = 0; i < pages; ++i) {  // what is there is copied up to the first that is not
            remote[i] = {reinterpret_cast<void*>(static_cast<std::uintptr_t>(page + i * page_bytes)), page_bytes};
        }
        ssize_t got = ::process_vm_readv(thread_, &local, 1, remote, pages, 0);
        if (got < 0 && errno == EPERM) refuse_permission();
        if (got < 0 && errno == ESRCH) refuse_ended();
        if (got < 0 && errno == ENOSYS)
            throw Refusal("this system does not allow to read the memory of processes (process_vm_readv)");
        return got > 0 ? static_cast<std::size_t>(got) / page_bytes : 0;
    }

    std::string peer_of(const std::string& inode) const {
        for (const char* table : {"tcp", "udp", "tcp6", "udp6"}) {
            std::ifstream file(folder_ + "net/" + table);
            std::string line;
            while (std::getline(file, line)) {
                std::istringstream fields(line);
                std::string slot, local, remote, state, skip, found;
                fields >> slot >> local >> remote >> state;
                for (int i = 0; i < 5; ++i) fields >> skip;
                if (!(fields >> found) || found != inode) continue;
                std::string protocol(table, 3);
                if (state == "0A") return protocol + " listens on " + address_of(local);
                return protocol + " " + address_of(local) + " to " + address_of(remote);
            }
        }
        std::ifstream file(folder_ + "net/unix");
        std::string line;
        while (std::getline(file, line)) {
            std::istringstream fields(line);
            std::string skip, found, path;
            for (int i = 0; i < 6; ++i) fields >> skip;
            fields >> found >> path;
            if (found == inode) return clean("unix " + (path.empty() ? std::string("socket") : path));
        }
        return {};
    }

    int pid_;
    bool is_in_container_ = false;
    int thread_;  // through which its memory is read: the main one, or one that outlives that
    std::string folder_;
    std::string shown_;  // that thread's folder
    std::string begun_;
    std::vector<Mapping> mappings_;
};

}  // namespace

std::unique_ptr<Memory> open_process(int pid) { return std::make_unique<Process>(pid); }

}  // namespace inspect
