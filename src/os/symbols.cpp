#include "detail/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <vector>

namespace asyncio::detail {
namespace {

/// A program or library that is loaded.
struct Module {
    std::uintptr_t code;  // that is looked for
    std::string path;     // empty: in none
    std::uintptr_t moved_by = 0;
    const char* begin = nullptr;  // of its file, in memory
};

int look_into(dl_phdr_info* info, std::size_t, void* to) {
    auto& module = *static_cast<Module*>(to);
    bool has_it = false;
    const char* begin = nullptr;
    for (std::size_t i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = info->dlpi_phdr[i];
        if (part.p_type != PT_LOAD) continue;
        std::uintptr_t at = info->dlpi_addr + part.p_vaddr;
        if (part.p_offset == 0) begin = reinterpret_cast<const char*>(at);
        has_it |= module.code >= at && module.code - at < part.p_memsz;
    }
    if (!has_it) return 0;
    module.path = info->dlpi_name == nullptr || *info->dlpi_name == 0 ? "/proc/self/exe" : info->dlpi_name;
    module.moved_by = info->dlpi_addr;
    module.begin = begin;
    return 1;
}

/// The file of a module. Whatever it has is only read, and may be anything.
class ElfFile {
public:
    explicit ElfFile(const std::string& path) noexcept : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
        struct stat found;
        if (fd_ >= 0 && ::fstat(fd_, &found) == 0) size_ = static_cast<std::uint64_t>(found.st_size);
        is_there_ = fd_ >= 0 && read(0, &header_, sizeof header_) && std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0;
    }
    ElfFile(const ElfFile&) = delete;
    ElfFile& operator=(const ElfFile&) = delete;
    ~ElfFile() {
        if (fd_ >= 0) ::close(fd_);
    }

    /// Whether that is what was loaded: it has the same header, which says where the symbols are.
    bool is_at(const char* memory) const noexcept {
        return is_there_ && memory != nullptr && std::memcmp(memory, &header_, sizeof header_) == 0;
    }
    std::string name_at(ElfW(Addr) address) const {
        if (header_.e_shentsize != sizeof(ElfW(Shdr))) return {};
        auto sections = table<ElfW(Shdr)>(header_.e_shoff, header_.e_shnum * sizeof(ElfW(Shdr)));
        for (ElfW(Word) type :
             std::initializer_list<ElfW(Word)>{SHT_SYMTAB, SHT_DYNSYM}) {  // what strip leaves are those for the linker
            for (const ElfW(Shdr) & section : sections) {
                if (section.sh_type != type || section.sh_link >= sections.size()) continue;
                std::string name = name_in(section, sections[section.sh_link], address);
                if (!name.empty()) return name;
            }
        }
        return {};
    }

private:
    bool read(std::uint64_t at, void* to, std::size_t size) const noexcept {
        char* next = static_cast<char*>(to);
        for (ssize_t got; size > 0;
             next += got, size -= static_cast<std::size_t>(got), at += static_cast<std::size_t>(got)) {
            got = ::pread(fd_, next, size, static_cast<off_t>(at));
            if (got <= 0) return false;
        }
        return true;
    }
    /// Empty if it is not all there.
    template <class T>
    std::vector<T> table(std::uint64_t at, std::uint64_t bytes) const {
        constexpr std::uint64_t most = 512 << 20;
        std::vector<T> found;
        if (bytes > most || bytes > size_ || at > size_ - bytes) return found;
        found.resize(static_cast<std::size_t>(bytes / sizeof(T)));
        if (!read(at, found.data(), found.size() * sizeof(T))) found.clear();
        return found;
    }
    std::string name_in(const ElfW(Shdr) & symbols, const ElfW(Shdr) & names, ElfW(Addr) address) const {
        for (const ElfW(Sym) & symbol : table<ElfW(Sym)>(symbols.sh_offset, symbols.sh_size)) {
            bool is_function = (symbol.st_info & 0xf) == STT_FUNC && symbol.st_shndx != SHN_UNDEF;
            if (!is_function || symbol.st_value != address || symbol.st_name >= names.sh_size) continue;
            char name[4096];
            std::size_t size = std::min(sizeof name, static_cast<std::size_t>(names.sh_size - symbol.st_name));
            if (!read(names.sh_offset + symbol.st_name, name, size)) continue;
            return std::string(name, ::strnlen(name, size));
        }
        return {};
    }

    int fd_;
    std::uint64_t size_ = 0;
    bool is_there_;
    ElfW(Ehdr) header_ = {};
};

}  // namespace

std::string symbol_at(std::uintptr_t code) {
    Module module{code, {}};
    ::dl_iterate_phdr(&look_into, &module);
    if (module.path.empty()) return {};
    ElfFile file(module.path);
    return file.is_at(module.begin) ? file.name_at(static_cast<ElfW(Addr)>(code - module.moved_by)) : std::string();
}

}  // namespace asyncio::detail
