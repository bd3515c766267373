#include "process/child_input.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/net/stream_reader_protocol.h>

#include <exception>

namespace asyncio::detail {
namespace {

void throw_unless_nobody_reads(const StreamWriter& in) {
    const std::exception_ptr& lost_by = in.handle().get()->lost_by();
    try {
        if (lost_by) std::rethrow_exception(lost_by);
    } catch (const ConnectionError&) {
    }
}

}  // namespace

Coro<> feed(StreamWriter in, BytesLike input) {
    try {
        if (!input.empty()) in.write(input);
        co_await in.drain();
    } catch (const ConnectionError&) {
        throw_unless_nobody_reads(in);
    }
    in.close();
}

}  // namespace asyncio::detail
