#include <asyncio/errors/builtin_errors.h>

#include <asyncio/detail/ref.h>

#include <cstdio>

namespace asyncio {

KeyError::KeyError(std::string_view key) : LookupError(detail::quoted(key)) {}

struct UnicodeDecodeError::Texts {
    const std::string encoding;
    const std::string object;
    const std::string reason;
    unsigned references = 1;

    void inc_ref() noexcept { __atomic_fetch_add(&references, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (__atomic_sub_fetch(&references, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
    }
};

namespace {

std::string cannot_decode(std::string_view encoding, std::string_view bytes, std::size_t start, std::size_t end,
                          std::string_view reason) {
    std::string text = "'" + std::string(encoding) + "' codec can't decode byte";
    if (start < bytes.size() && end == start + 1) {
        char byte[8];
        std::snprintf(byte, sizeof byte, " 0x%02x", static_cast<unsigned char>(bytes[start]));
        text += byte + (" in position " + std::to_string(start));
    } else {
        text += "s in position " + std::to_string(start) + "-" + std::to_string(static_cast<std::ptrdiff_t>(end) - 1);
    }
    return text + ": " + std::string(reason);
}

}  // namespace

UnicodeDecodeError::UnicodeDecodeError(std::string_view encoding, std::string_view object, std::size_t start,
                                       std::size_t end, std::string_view reason)
    : UnicodeError(cannot_decode(encoding, object, start, end, reason)),
      texts_(detail::Ref<Texts>::adopt(new Texts{std::string(encoding), std::string(object), std::string(reason)})),
      start_(start),
      end_(end) {}
UnicodeDecodeError::UnicodeDecodeError(const UnicodeDecodeError&) noexcept = default;
UnicodeDecodeError& UnicodeDecodeError::operator=(const UnicodeDecodeError&) noexcept = default;
UnicodeDecodeError::~UnicodeDecodeError() = default;
const std::string& UnicodeDecodeError::encoding() const noexcept { return texts_->encoding; }
const std::string& UnicodeDecodeError::object() const noexcept { return texts_->object; }
const std::string& UnicodeDecodeError::reason() const noexcept { return texts_->reason; }

}  // namespace asyncio
