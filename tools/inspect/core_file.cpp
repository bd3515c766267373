#include "memory.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/procfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace inspect {
namespace {

/// A file that is read here and there; short reads are errors.
class File {
public:
    explicit File(const std::string& path) noexcept : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    bool is_open() const noexcept { return fd_ >= 0; }
    std::size_t read_some(std::uint64_t at, void* to, std::size_t size) const noexcept {
        if (at > INT64_MAX) return 0;
        std::size_t done = 0;
        while (done < size) {
            ssize_t got = ::pread(fd_, static_cast<char*>(to) + done, size - done, static_cast<off_t>(at + done));
            if (got <= 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }
    bool read(std::uint64_t at, void* to, std::size_t size) const noexcept { return read_some(at, to, size) == size; }
    template <class T>
    bool read(std::uint64_t at, T& to) const noexcept {
        return read(at, &to, sizeof(T));
    }

private:
    int fd_;
};

class Core final : public Memory {
public:
    explicit Core(const std::string& path) : path_(path), file_(path) {
        Elf64_Ehdr header = {};
        if (!file_.is_open()) throw Refusal(clean(path) + " cannot be opened");
        if (!file_.read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_CORE) {
            throw Refusal(clean(path) + " is no core file, and no number of a process");
        }
        if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != own_data) {
            throw Refusal(clean(path) + " is the core file of another kind of machine");
        }
        read_segments(header);
        if (segments_.empty()) throw Refusal(clean(path) + " has no memory in it: it is damaged, or was cut off");
    }

    const std::vector<Mapping>& mappings() const override { return mappings_; }
    std::vector<Thread> threads() const override { return threads_; }
    bool is_alive() const override { return false; }
    int pid() const override { return pid_; }
    std::int64_t monotonic_nanoseconds() const override { return 0; }
    std::string title() const override {
        return "core file of process " + std::to_string(pid_) + (name_.empty() ? "" : " (" + name_ + ")");
    }

private:
    static constexpr unsigned char own_data = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    static constexpr std::size_t most_segments = 1'000'000;
    static constexpr std::size_t most_note_bytes = 64 << 20;

    struct Segment {
        Address begin;
        Address end;
        std::uint64_t offset;
        std::uint64_t size;  // in the file
    };

    void read_segments(const Elf64_Ehdr& header) {
        std::uint64_t count = header.e_phnum;
        Elf64_Shdr first = {};
        if (count == PN_XNUM && file_.read(header.e_shoff, first)) count = first.sh_info;
        if (header.e_phentsize != sizeof(Elf64_Phdr)) return;
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, most_segments); ++i) {
            Elf64_Phdr segment = {};
            if (!file_.read(header.e_phoff + i * sizeof segment, segment)) break;
            if (segment.p_type == PT_LOAD && segment.p_vaddr + segment.p_memsz > segment.p_vaddr) {
                std::uint64_t size = std::min(segment.p_filesz, segment.p_memsz);
                segments_.push_back({segment.p_vaddr, segment.p_vaddr + segment.p_memsz, segment.p_offset, size});
            }
            if (segment.p_type == PT_NOTE) read_notes(segment.p_offset, segment.p_filesz);
        }
        std::sort(segments_.begin(), segments_.end(),
                  [](const Segment& a, const Segment& b) { return a.begin < b.begin; });
    }

    void read_notes(std::uint64_t at, std::uint64_t size) {
        std::vector<char> bytes(std::min<std::uint64_t>(size, most_note_bytes));
        bytes.resize(file_.read_some(at, bytes.data(), bytes.size()));
        std::size_t place = 0;
        Elf64_Nhdr note = {};
        while (place + sizeof note <= bytes.size()) {
            std::memcpy(&note, &bytes[place], sizeof note);
            std::uint64_t name = place + sizeof note;
            std::uint64_t content = name + (std::uint64_t(note.n_namesz) + 3) / 4 * 4;
            std::uint64_t next = content + (std::uint64_t(note.n_descsz) + 3) / 4 * 4;
            if (content + note.n_descsz > bytes.size()) break;
            read_note(note.n_type, bytes.data() + content, note.n_descsz);
            place = next;
        }
    }

    void read_note(std::uint32_t type, const char* bytes, std::size_t size) {
        if (type == NT_PRPSINFO && size >= sizeof(elf_prpsinfo)) {
            elf_prpsinfo info;
            std::memcpy(&info, bytes, sizeof info);
            pid_ = info.pr_pid;
            name_ = clean(std::string(info.pr_fname, ::strnlen(info.pr_fname, sizeof info.pr_fname)));
        }
        if (type == NT_PRSTATUS && size >= sizeof(elf_prstatus)) {
            elf_prstatus status;
            std::memcpy(&status, bytes, sizeof status);
            Thread thread;
            thread.number = thread.own_number = status.pr_pid;
            if (threads_.size() < most_segments) threads_.push_back(thread);
        }
        if (type == NT_FILE) read_files(bytes, size);
    }

    /// Which parts of which files were where: two numbers, three for each part, then all names.
    void read_files(const char* bytes, std::size_t size) {
        auto number = [&](std::size_t index) {
            std::uint64_t value = 0;
            if ((index + 1) * sizeof value <= size) std::memcpy(&value, bytes + index * sizeof value, sizeof value);
            return value;
        };
        std::uint64_t count = number(0);
        if (count > size / 24) return;
        const char* name = bytes + (2 + 3 * count) * 8;
        const char* end = bytes + size;
        for (std::size_t i = 0; i < count && name < end; ++i) {
            std::size_t length = ::strnlen(name, static_cast<std::size_t>(end - name));
            mappings_.push_back(
                {number(2 + 3 * i), number(3 + 3 * i), number(4 + 3 * i) * number(1), std::string(name, length)});
            name += length + 1;
        }
    }

    const Segment* segment_of(Address address) const noexcept {
        auto next = std::upper_bound(segments_.begin(), segments_.end(), address,
                                     [](Address at, const Segment& segment) { return at < segment.begin; });
        if (next == segments_.begin()) return nullptr;
        const Segment& found = *(next - 1);
        return address < found.end ? &found : nullptr;
    }

    std::size_t fetch(Address page, unsigned char* to, std::size_t pages) override {
        std::size_t done = 0;
        while (done < pages && fetch_page(page + done * page_bytes, to + done * page_bytes)) ++done;
        return done;
    }
    bool fetch_page(Address page, unsigned char* to) {
        const Segment* segment = segment_of(page);
        bool has_it = segment != nullptr && page - segment->begin < segment->size &&
                      file_.read(segment->offset + (page - segment->begin), to, page_bytes);
        return has_it || fetch_from_program(page, to);
    }

    /// What nobody could have changed is left out of core files: it is in the program itself, if that is still the
    /// same.
    bool fetch_from_program(Address page, unsigned char* to) {
        for (const Mapping& mapping : mappings_) {
            if (page < mapping.begin || page >= mapping.end) continue;
            const File* file = program(mapping.path);
            if (file == nullptr) return false;
            std::size_t got = file->read_some(mapping.offset + (page - mapping.begin), to, page_bytes);
            std::fill(to + std::min(got, page_bytes), to + page_bytes, static_cast<unsigned char>(0));
            return got > 0;
        }
        return false;
    }
    const File* program(const std::string& path) {
        auto place = programs_.find(path);
        if (place == programs_.end()) {
            File file(path);
            place =
                programs_.emplace(path, is_same(file, path) ? std::make_unique<File>(std::move(file)) : nullptr).first;
        }
        return place->second.get();
    }
    /// By its first page, in which its build id is.
    bool is_same(const File& file, const std::string& path) const {
        if (!file.is_open()) return false;
        for (const Mapping& mapping : mappings_) {
            if (mapping.path != path || mapping.offset != 0) continue;
            const Segment* segment = segment_of(mapping.begin);
            unsigned char theirs[page_bytes];
            unsigned char ours[page_bytes];
            if (segment == nullptr || mapping.begin - segment->begin + page_bytes > segment->size)
                return true;  // nobody knows
            std::size_t size = file.read_some(0, ours, page_bytes);
            return file_.read(segment->offset + (mapping.begin - segment->begin), theirs, page_bytes) &&
                   std::memcmp(ours, theirs, size) == 0;
        }
        return true;
    }

    std::string path_;
    File file_;
    int pid_ = 0;
    std::string name_;
    std::vector<Segment> segments_;
    std::vector<Mapping> mappings_;
    std::vector<Thread> threads_;
    std::map<std::string, std::unique_ptr<File>> programs_;
};

}  // namespace

std::unique_ptr<Memory> open_core(const std::string& path) { return std::make_unique<Core>(path); }

}  // namespace inspect
