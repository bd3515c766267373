#include "errors/exception_death.h"

#include <typeinfo>

#include <cxxabi.h>
#include <unwind.h>

namespace asyncio::detail {

namespace {

/// The end of what stands before each thrown object: the C++ ABI's __cxa_exception, in libstdc++ and libc++abi alike.
struct Header {
    const std::type_info* type;
    Destructor destructor;
    void (*unexpected_handler)();
    void (*terminate_handler)();
    Header* next;
    int handler_count;
#ifdef __ARM_EABI_UNWINDER__
    Header* next_propagating;
    int propagation_count;
#else
    int handler_switch_value;
    const unsigned char* action_record;
    const unsigned char* language_specific_data;
    void* catch_temp;
    void* adjusted_pointer;
#endif
    _Unwind_Exception unwind_header;
};

const std::type_info* type_of(const std::exception_ptr& error) noexcept {
#ifdef __GLIBCXX__
    return error.__cxa_exception_type();
#else
    try {
        std::rethrow_exception(error);
    } catch (...) {
        return abi::__cxa_current_exception_type();
    }
#endif
}

}  // namespace

void* thrown_object(const std::exception_ptr& error) noexcept {
    static_assert(sizeof error == sizeof(void*));
    void* object;
    __builtin_memcpy(&object, &error, sizeof object);  // all that an exception_ptr holds
    return object;
}

bool replace_destructor(const std::exception_ptr& error, Destructor destructor, Destructor& former) noexcept {
    Header& header = static_cast<Header*>(thrown_object(error))[-1];
    if (header.type != type_of(error)) return false;
    former = header.destructor;
    header.destructor = destructor;
    return true;
}

}  // namespace asyncio::detail
