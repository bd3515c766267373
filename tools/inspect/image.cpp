#include "image.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <optional>

namespace inspect {
namespace {

constexpr std::size_t most_headers = 256;
constexpr std::size_t most_note_bytes = 64 << 10;
constexpr std::uint16_t most_offset = 8192;

/// Where the description is that this ELF file, which begins here, has a note of; 0: it has none.
Address find_description(Memory& memory, Address begin) {
    Elf64_Ehdr header;
    if (!memory.read(begin, header) || header.e_phentsize != sizeof(Elf64_Phdr)) return 0;
    std::vector<Elf64_Phdr> segments(std::min<std::size_t>(header.e_phnum, most_headers));
    if (!memory.read(begin + header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr))) return 0;
    Address moved_by = begin;
    for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type == PT_LOAD && segment.p_offset == 0) moved_by = begin - segment.p_vaddr;
    }
    for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type != PT_NOTE) continue;
        std::vector<unsigned char> bytes(std::min<std::size_t>(segment.p_filesz, most_note_bytes));
        Address at = moved_by + segment.p_vaddr;
        if (!memory.read(at, bytes.data(), bytes.size())) continue;
        std::size_t alignment = segment.p_align == 8 ? 8 : 4;
        auto aligned = [&](std::size_t size) { return (size + alignment - 1) / alignment * alignment; };
        std::size_t place = 0;
        Elf64_Nhdr note;
        while (place + sizeof note <= bytes.size()) {
            std::memcpy(&note, &bytes[place], sizeof note);
            std::size_t content = place + aligned(sizeof note + std::size_t(note.n_namesz));
            if (content + note.n_descsz > bytes.size()) break;
            bool is_ours = note.n_type == asyncio::inspect::note_type && note.n_namesz == 8 && note.n_descsz == 4 &&
                           std::memcmp(&bytes[place + sizeof note], "asyncio", 8) == 0;
            if (is_ours) {
                std::int32_t distance;
                std::memcpy(&distance, &bytes[content], sizeof distance);
                return at + content + static_cast<Address>(static_cast<std::int64_t>(distance));
            }
            place = aligned(content + note.n_descsz);
        }
    }
    return 0;
}

/// All that follows the table of callbacks is offsets: they are looked at as such.
bool has_sensible_offsets(const Description& description) {
    constexpr std::size_t first = offsetof(Description, loop);
    std::uint16_t offsets[(sizeof(Description) - first) / 2];
    std::memcpy(offsets, reinterpret_cast<const char*>(&description) + first, sizeof offsets);
    bool all =
        std::all_of(std::begin(offsets), std::end(offsets), [](std::uint16_t offset) { return offset <= most_offset; });
    return all && description.callback_count <= std::size(description.callbacks) && description.timer.bytes >= 8 &&
           description.waiter.kind_shift < 8 && description.doing.shift < 8;
}

/// One of an older library ends before the newest members: what lies there is something else.
void forget_what_is_behind(Description& description) {
    if (description.size < offsetof(Description, loop) || description.size >= sizeof description) return;
    std::memset(reinterpret_cast<char*>(&description) + description.size, 0, sizeof description - description.size);
}

/// Why this description cannot be used, or nothing.
std::optional<std::string> fault_of(const Description& description, std::size_t size_read) {
    constexpr char magic[8] = "asyncio";
    if (size_read < 24 || std::memcmp(description.magic, magic, sizeof magic) != 0) {
        return "it is damaged, or the program has not begun yet";
    }
    if (description.version != asyncio::inspect::version) {
        return "it is of version " + std::to_string(description.version) + ", and this asyncio-inspect knows version " +
               std::to_string(asyncio::inspect::version) + ": use the one that came with the program's library";
    }
    if (description.pointer_bytes != sizeof(Address) ||
        (description.is_little_endian != 0) != (std::endian::native == std::endian::little)) {
        return "it is of another kind of machine";
    }
    if (size_read < std::min(sizeof(Description), std::size_t(description.size)) || !has_sensible_offsets(description))
        return "it is damaged";
    return std::nullopt;
}

}  // namespace

std::vector<Image> find_images(Memory& memory) {
    std::vector<Image> found;
    std::string fault;
    bool any_file = false;
    bool other_width = false;
    for (const Mapping& mapping : memory.mappings()) {
        unsigned char start[EI_NIDENT];
        if (mapping.offset != 0 || !memory.read(mapping.begin, start) || std::memcmp(start, ELFMAG, SELFMAG) != 0)
            continue;
        any_file = true;
        if (start[EI_CLASS] != ELFCLASS64) {
            other_width = true;
            continue;
        }
        Address at = find_description(memory, mapping.begin);
        if (at == 0) continue;
        Image image = {clean(mapping.path), {}, {}};
        std::size_t size = sizeof(Description);
        while (size >= 24 && !memory.read(at, &image.description, size)) size -= 8;
        forget_what_is_behind(image.description);
        if (std::optional<std::string> why = fault_of(image.description, size)) {
            fault = "the description that " + image.path + " has for asyncio-inspect is not understood: " + *why;
            continue;
        }
        image.library_version = memory.text(image.description.library_version, 32);
        found.push_back(image);
    }
    if (!found.empty()) return found;
    if (!fault.empty()) throw Refusal(memory.title() + ": " + fault);
    if (!any_file) throw Refusal(memory.title() + " has no program in its memory that can be read");
    if (other_width)
        throw Refusal(memory.title() +
                      " is a program of 32 bits, or of another kind of machine, which is not understood");
    throw Refusal(memory.title() +
                  " is no program with asyncio for C++ in it, or with one that is older than asyncio-inspect");
}

}  // namespace inspect
