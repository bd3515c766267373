#include "errors/demangled.h"

#include <asyncio/errors/builtin_errors.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/exceptions.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <cxxabi.h>

namespace asyncio {

namespace {

const std::optional<std::string> no_message;

std::string errno_text(int errno_value, std::string_view strerror) {
    return strerror.empty() ? std::generic_category().message(errno_value) : std::string(strerror);
}

std::string errno_prefix(int errno_value) { return "[Errno " + std::to_string(errno_value) + "] "; }

}  // namespace

BaseException::~BaseException() = default;
const char* BaseException::what() const noexcept { return ""; }

CancelledError::CancelledError(std::string_view message)
    : request_(detail::make_cancel_request(message, {}, std::source_location())) {}

const std::optional<std::string>& CancelledError::message() const noexcept {
    return request_ ? request_->message : no_message;
}

std::string_view CancelledError::requested_by() const noexcept {
    return request_ ? std::string_view(request_->requested_by) : std::string_view();
}

std::source_location CancelledError::requested_at() const noexcept {
    return request_ ? request_->requested_at : std::source_location();
}

const char* CancelledError::what() const noexcept {
    return request_ && request_->message ? request_->message->c_str() : "";
}

KeyboardInterrupt::KeyboardInterrupt() noexcept : text_("") {}
KeyboardInterrupt::KeyboardInterrupt(std::string_view message) : text_(std::string(message)) {}
const char* KeyboardInterrupt::what() const noexcept { return text_.what(); }

SystemExit::SystemExit(int code) noexcept : code_(code) { std::snprintf(text_, sizeof text_, "%d", code); }
const char* SystemExit::what() const noexcept { return text_; }

OSError::OSError(std::string_view message)
    : std::system_error(std::error_code()), HasMessage{message.data() != nullptr}, text_(std::string(message)) {}

OSError::OSError(int errno_value, std::string_view strerror)
    : std::system_error(std::error_code(errno_value, std::generic_category())),
      text_(errno_prefix(errno_value) + errno_text(errno_value, strerror)),
      strerror_begin_(errno_prefix(errno_value).size()),
      strerror_size_(errno_text(errno_value, strerror).size()) {}

OSError::OSError(int errno_value, std::string_view strerror, std::string_view filename)
    : std::system_error(std::error_code(errno_value, std::generic_category())),
      text_(errno_prefix(errno_value) + errno_text(errno_value, strerror) + ": " + detail::quoted(filename)),
      strerror_begin_(errno_prefix(errno_value).size()),
      strerror_size_(errno_text(errno_value, strerror).size()) {}

std::string_view OSError::strerror() const noexcept { return {text_.what() + strerror_begin_, strerror_size_}; }

namespace detail {

CancelRequest::CancelRequest(std::optional<std::string_view> text, std::string_view task_name,
                             std::source_location where)
    : message(text), requested_by(task_name), requested_at(where) {}

void CancelRequest::dec_ref() noexcept {
    if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
}

Ref<CancelRequest> make_cancel_request(std::optional<std::string_view> message, std::string_view requested_by,
                                       std::source_location where) {
    try {
        return Ref<CancelRequest>::adopt(new CancelRequest(message, requested_by, where));
    } catch (const std::bad_alloc&) {
        if (message) throw;
        return nullptr;
    }
}

// Looking at an exception without throwing it

#ifdef __GLIBCXX__

const void* match_exception(const std::exception_ptr& error, const std::type_info& wanted) noexcept {
    if (!error) return nullptr;
    static_assert(sizeof(std::exception_ptr) == sizeof(void*));
    void* object;
    __builtin_memcpy(&object, &error, sizeof object);  // all that a libstdc++ exception_ptr holds
    return wanted.__do_catch(error.__cxa_exception_type(), &object, 1) ? object : nullptr;
}

namespace {
const std::type_info* thrown_type(const std::exception_ptr& error) noexcept {
    return error ? error.__cxa_exception_type() : nullptr;
}
}  // namespace

#else

namespace {
const std::type_info* thrown_type(const std::exception_ptr& error) noexcept {
    if (!error) return nullptr;
    try {
        std::rethrow_exception(error);
    } catch (...) {
        return abi::__cxa_current_exception_type();
    }
}
}  // namespace

#endif

namespace {

bool is_cancelled(const std::type_info* type) noexcept { return type && *type == typeid(CancelledError); }

bool is_interrupt_or_exit(const std::type_info* type) noexcept {
    return type && (*type == typeid(KeyboardInterrupt) || *type == typeid(SystemExit));
}

std::string name_of_type(const char* mangled) {
    std::string name = demangled(mangled);
    for (std::string_view prefix : {"asyncio::", "(anonymous namespace)::"}) {
        if (name.starts_with(prefix)) name.erase(0, prefix.size());
    }
    return name;
}

}  // namespace

bool is_cancelled_error(const std::exception_ptr& error) noexcept { return is_cancelled(thrown_type(error)); }

bool is_keyboard_interrupt_or_system_exit(const std::exception_ptr& error) noexcept {
    return is_interrupt_or_exit(thrown_type(error));
}

bool is_base_exception(const std::exception_ptr& error) noexcept {
    return exception_cast<BaseException>(error) && !exception_cast<std::exception>(error);
}

bool current_exception_is_cancelled() noexcept { return is_cancelled(abi::__cxa_current_exception_type()); }

bool current_exception_is_keyboard_interrupt_or_system_exit() noexcept {
    return is_interrupt_or_exit(abi::__cxa_current_exception_type());
}

// Python's texts

namespace {

// One character of UTF-8, its length in `size`; anything malformed is one byte, given as
// U+DC80..U+DCFF.
char32_t decode(std::string_view text, std::size_t& size) noexcept {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned first = byte(0);
    size = 1;
    if (first < 0x80) return first;
    std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0xdc00 + first;
    char32_t character = first & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return 0xdc00 + first;
        character = (character << 6U) | (byte(i) & 0x3fU);
    }
    bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
    if (overlong || character > 0x10ffff || (character >= 0xd800 && character < 0xe000)) return 0xdc00 + first;
    size = length;
    return character;
}

// str.isprintable() of one character but for code points that no Unicode version has assigned:
// those count as printable.
bool is_printable(char32_t character) noexcept {
    struct Range {
        char32_t first, last;
    };
    static constexpr Range hidden[] = {{0x00, 0x1f},       {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
                                       {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
                                       {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},
                                       {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},   {0xd800, 0xf8ff},
                                       {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd},
                                       {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
                                       {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};
    for (const Range& range : hidden) {
        if (character <= range.last) return character < range.first;
    }
    return true;
}

}  // namespace

std::string quoted(std::string_view text) {
    bool use_double = text.find('\'') != text.npos && text.find('"') == text.npos;
    char quote = use_double ? '"' : '\'';
    std::string result(1, quote);
    std::size_t size = 0;
    for (; !text.empty(); text.remove_prefix(size)) {
        char32_t character = decode(text, size);
        if (character == '\\' || character == static_cast<unsigned char>(quote)) {
            result += '\\';
            result += static_cast<char>(character);
        } else if (character == '\n') {
            result += "\\n";
        } else if (character == '\r') {
            result += "\\r";
        } else if (character == '\t') {
            result += "\\t";
        } else if (is_printable(character)) {
            result += text.substr(0, size);
        } else {
            char escape[12];
            const char* format = character < 0x100 ? "\\x%02x" : character < 0x10000 ? "\\u%04x" : "\\U%08x";
            std::snprintf(escape, sizeof escape, format, static_cast<unsigned>(character));
            result += escape;
        }
    }
    result += quote;
    return result;
}

std::string quoted_bytes(std::string_view bytes) {
    char quote = bytes.find('\'') != bytes.npos && bytes.find('"') == bytes.npos ? '"' : '\'';
    std::string text = {'b', quote};
    for (char byte : bytes) {
        auto value = static_cast<unsigned char>(byte);
        char escape[8];
        if (byte == '\\' || byte == quote) {
            text += {'\\', byte};
        } else if (byte == '\n' || byte == '\r' || byte == '\t') {
            text += {'\\', byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't'};
        } else if (value >= 0x20 && value < 0x7f) {
            text += byte;
        } else {
            std::snprintf(escape, sizeof escape, "\\x%02x", value);
            text += escape;
        }
    }
    return text + quote;
}

namespace {

// An exception by a pointer to it, or as it is caught: as the classes that it has.
class ByPointer {
public:
    explicit ByPointer(const std::exception_ptr& error) noexcept : error_(error) {}
    template <class Error>
    const Error* as() const noexcept {
        return exception_cast<Error>(error_);
    }

private:
    const std::exception_ptr& error_;
};
template <class Root>
class ByReference {
public:
    explicit ByReference(const Root& error) noexcept : error_(error) {}
    template <class Error>
    const Error* as() const noexcept {
        return dynamic_cast<const Error*>(&error_);
    }

private:
    const Root& error_;
};

// What the exception says about itself; nothing when it is only the name of its class, as
// std::bad_alloc's is.
template <class Object>
std::string_view message_of(const Object& error, std::string_view name) noexcept {
    const char* text = nullptr;
    if (const auto* base = error.template as<BaseException>()) {
        text = base->what();
    } else if (const auto* standard = error.template as<std::exception>()) {
        text = standard->what();
    }
    return text == nullptr || name == text ? std::string_view() : std::string_view(text);
}

std::string count_of_children(const BaseExceptionGroup& group) {
    std::size_t count = group.exceptions().size();
    return " (" + std::to_string(count) + (count == 1 ? " sub-exception)" : " sub-exceptions)");
}

template <class Object>
std::string repr_of_error(const Object& error, const std::string& name) {
    if (const auto* group = error.template as<BaseExceptionGroup>()) {
        std::string text = name + "(" + detail::quoted(group->message()) + ", [";
        const char* separator = "";
        for (const std::exception_ptr& child : group->exceptions()) {
            text += separator + repr(child);
            separator = ", ";
        }
        return text + "])";
    }
    if (const auto* os_error = error.template as<OSError>(); os_error && os_error->errno_value() != 0) {
        return name + "(" + std::to_string(os_error->errno_value()) + ", " + detail::quoted(os_error->strerror()) + ")";
    }
    if (const auto* exit = error.template as<SystemExit>()) return name + "(" + exit->what() + ")";
    if (const auto* cancelled = error.template as<CancelledError>()) {
        return name + "(" + (cancelled->message() ? detail::quoted(*cancelled->message()) : "") + ")";
    }
    if (const auto* decoding = error.template as<UnicodeDecodeError>()) {
        return name + "(" + detail::quoted(decoding->encoding()) + ", " + quoted_bytes(decoding->object()) + ", " +
               std::to_string(decoding->start()) + ", " + std::to_string(decoding->end()) + ", " +
               detail::quoted(decoding->reason()) + ")";
    }
    std::string_view message = message_of(error, name);
    if (const auto* key = error.template as<KeyError>()) return name + "(" + key->what() + ")";  // in quotes already
    const auto* told = error.template as<HasMessage>();
    bool has_message = !message.empty() || (told != nullptr && told->has_message);
    return name + "(" + (has_message ? detail::quoted(message) : "") + ")";
}

template <class Object>
std::string str_of_error(const Object& error, const std::string& name) {
    if (const auto* group = error.template as<BaseExceptionGroup>()) {
        return group->message() + count_of_children(*group);
    }
    return std::string(message_of(error, name));
}

}  // namespace
}  // namespace detail

std::string type_name(const std::exception_ptr& error) {
    const std::type_info* type = detail::thrown_type(error);
    return type ? detail::name_of_type(type->name()) : "NoneType";
}
std::string type_name(const BaseException& error) { return detail::name_of_type(typeid(error).name()); }
std::string type_name(const std::exception& error) { return detail::name_of_type(typeid(error).name()); }

std::string repr(const std::exception_ptr& error) {
    return error ? detail::repr_of_error(detail::ByPointer(error), type_name(error)) : "None";
}
std::string repr(const BaseException& error) {
    return detail::repr_of_error(detail::ByReference(error), type_name(error));
}
std::string repr(const std::exception& error) {
    return detail::repr_of_error(detail::ByReference(error), type_name(error));
}

std::string str(const std::exception_ptr& error) {
    return error ? detail::str_of_error(detail::ByPointer(error), type_name(error)) : "None";
}
std::string str(const BaseException& error) {
    return detail::str_of_error(detail::ByReference(error), type_name(error));
}
std::string str(const std::exception& error) {
    return detail::str_of_error(detail::ByReference(error), type_name(error));
}

}  // namespace asyncio
