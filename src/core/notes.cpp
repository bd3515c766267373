#include <asyncio/core/notes.h>

#include "core/tracebacks.h"

#include <asyncio/errors/exceptions.h>

namespace asyncio {

void add_note(const std::exception_ptr& error, std::string_view note) {
    if (!error) throw ValueError("add_note() of a null pointer: there is no exception");
    detail::note_text(error, note);
}

void add_note(std::string_view note) {
    std::exception_ptr error = std::current_exception();
    if (!error) throw RuntimeError("add_note() outside of a handler: no exception is being handled");
    detail::note_text(error, note);
}

std::vector<std::string> notes_of(const std::exception_ptr& error) { return detail::noted_texts(error); }

}  // namespace asyncio
