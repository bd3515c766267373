#include "tls/tls_bytes.h"

#include "tls/openssl_errors.h"
#include "tls/waiting_records.h"

#include <asyncio/tls/memory_bio.h>
#include <asyncio/tls/ssl_errors.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>
#include <utility>

namespace asyncio {

namespace detail {

void TlsBytes::append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (begin_ > kept_.size() / 2) {
        kept_.erase(0, begin_);
        begin_ = 0;
    }
    kept_.append(bytes);
}

std::size_t TlsBytes::take(char* to, std::size_t size) noexcept {
    std::size_t of_kept = std::min(size, kept_.size() - begin_);
    if (of_kept > 0) {
        std::memcpy(to, kept_.data() + begin_, of_kept);
        begin_ += of_kept;
        if (begin_ == kept_.size()) drop_all();
    }
    std::size_t of_lent = std::min(size - of_kept, lent_.size());
    if (of_lent > 0) {
        std::memcpy(to + of_kept, lent_.data(), of_lent);
        lent_.remove_prefix(of_lent);
    }
    return of_kept + of_lent;
}

std::string TlsBytes::take_all(std::size_t most) {
    std::string all(std::min(most, pending()), '\0');
    take(all.data(), all.size());
    return all;
}

void TlsBytes::drop_all() noexcept {
    kept_ = std::string();  // memory for who is idle would be idle, too
    begin_ = 0;
}

std::string TlsBytes::give_all() {
    if (begin_ > 0) kept_.erase(0, std::exchange(begin_, 0));
    return std::exchange(kept_, {});
}

void TlsBytes::borrow_room() noexcept {
    bool has_room = kept_.capacity() > std::string().capacity();
    if (kept_.empty() && !has_room) kept_ = room_for_records();
}

namespace {

int read_bytes(BIO* bio, char* room, std::size_t size, std::size_t* taken) noexcept {
    auto& pipe = *static_cast<TlsPipe*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *taken = pipe.incoming->take(room, size);
    if (*taken > 0) return 1;
    if (!pipe.incoming->has_ended()) BIO_set_retry_read(bio);
    return 0;
}

int write_bytes(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) noexcept {
    auto& pipe = *static_cast<TlsPipe*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    try {
        pipe.outgoing->append({bytes, size});
        *written = size;
        return 1;
    } catch (const std::bad_alloc&) {
        pipe.lacks_memory = true;
        *written = 0;
        return 0;
    }
}

long control(BIO* bio, int what, long, void*) noexcept {
    auto& pipe = *static_cast<TlsPipe*>(BIO_get_data(bio));
    switch (what) {
        case BIO_CTRL_FLUSH:
            return 1;
        case BIO_CTRL_EOF:
            return pipe.incoming->eof();
        case BIO_CTRL_PENDING:
            return static_cast<long>(pipe.incoming->pending());
        default:
            return 0;
    }
}

BIO_METHOD* make_method() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "asyncio");
    if (method == nullptr) throw std::bad_alloc();
    BIO_meth_set_read_ex(method, &read_bytes);
    BIO_meth_set_write_ex(method, &write_bytes);
    BIO_meth_set_ctrl(method, &control);
    return method;
}

}  // namespace

BIO* make_bio(TlsPipe& pipe) {
    static BIO_METHOD* method = make_method();  // for ever, as connections may live until the end
    BIO* bio = checked(BIO_new(method));
    BIO_set_data(bio, &pipe);
    BIO_set_init(bio, 1);
    return bio;
}

void add_handle(TlsBytes& bytes) noexcept { bytes.inc_ref(); }
void drop_handle(TlsBytes& bytes) noexcept { bytes.dec_ref(); }

}  // namespace detail

MemoryBIO::MemoryBIO() : bytes_(new detail::TlsBytes) {}
std::size_t MemoryBIO::pending() const noexcept { return bytes().pending(); }
bool MemoryBIO::eof() const noexcept { return bytes().eof(); }
std::string MemoryBIO::read(std::optional<std::size_t> size) const {
    return bytes().take_all(size.value_or(bytes().pending()));
}
std::size_t MemoryBIO::write(BytesLike data) const {
    if (bytes().has_ended()) throw SSLError("cannot write() after write_eof()");
    bytes().append(data.view());
    return data.size();
}
void MemoryBIO::write_eof() const noexcept { bytes().end(); }

}  // namespace asyncio
