#include <asyncio/context/context.h>
#include <asyncio/errors/builtin_errors.h>
#include <asyncio/errors/exceptions.h>

#include "detail/threads.h"

#include <cstdio>
#include <new>

namespace asyncio {
namespace detail {

ValueBox::~ValueBox() = default;

/// The only code that looks into a ContextMap.
class MapAccess {
public:
    struct Entry {
        std::uint64_t id;
        ValueBox* box;  // the map owns a reference
    };

    static Entry* entries(ContextMap* map) noexcept {
        return reinterpret_cast<Entry*>(reinterpret_cast<char*>(map) + head);
    }
    static unsigned size(const ContextMap* map) noexcept { return map ? map->size_ : 0; }
    static ContextIdentity* identity(const ContextMap* map) noexcept { return map ? map->identity_.get() : nullptr; }

    static ContextMap* create(unsigned size) {
        auto* map = new (allocate(bytes(size))) ContextMap();
        map->size_ = size;
        return map;
    }
    static void destroy(ContextMap* map) noexcept {
        std::size_t size = bytes(map->size_);
        for (unsigned i = 0; i < map->size_; ++i) entries(map)[i].box->dec_ref();
        map->~ContextMap();
        deallocate(map, size);
    }

    /// The place of `id` in the map, or where it would be.
    static unsigned position(ContextMap* map, std::uint64_t id) noexcept {
        unsigned low = 0;
        unsigned high = size(map);
        while (low < high) {
            unsigned middle = (low + high) / 2;
            if (entries(map)[middle].id < id) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
    static ValueBox* find(ContextMap* map, std::uint64_t id) noexcept {
        unsigned at = position(map, id);
        return at < size(map) && entries(map)[at].id == id ? entries(map)[at].box : nullptr;
    }

    /// The map with `box` under `id`, or without `id` when `box` is null, for the context of this identity; `old`
    /// becomes what was there.
    static Ref<ContextMap> with(Ref<ContextMap>&& from, std::uint64_t id, Ref<ValueBox> box, Ref<ValueBox>& old,
                                const Ref<ContextIdentity>& identity) {
        ContextMap* map = from.get();
        unsigned at = position(map, id);
        bool found = at < size(map) && entries(map)[at].id == id;
        if (found && box && __atomic_load_n(&map->references_, __ATOMIC_ACQUIRE) == 1) {  // nobody else can see it
            old = Ref<ValueBox>::adopt(entries(map)[at].box);
            entries(map)[at].box = box.release();
            map->identity_ = identity;
            return static_cast<Ref<ContextMap>&&>(from);
        }
        if (found) old = Ref<ValueBox>(entries(map)[at].box);
        if (!found && !box) return static_cast<Ref<ContextMap>&&>(from);
        unsigned count = size(map) + (box ? 1U : 0U) - (found ? 1U : 0U);
        ContextMap* result = create(count);
        result->identity_ = identity;
        Entry* out = entries(result);
        for (unsigned i = 0; i < at; ++i) *out++ = shared(entries(map)[i]);
        if (box) *out++ = Entry{id, box.release()};
        for (unsigned i = at + (found ? 1U : 0U); i < size(map); ++i) *out++ = shared(entries(map)[i]);
        return Ref<ContextMap>::adopt(result);
    }

private:
    /// The first entry's place: where pointers are small, an entry may want more alignment than the map itself.
    static constexpr std::size_t head = (sizeof(ContextMap) + alignof(Entry) - 1) / alignof(Entry) * alignof(Entry);
    static std::size_t bytes(unsigned size) noexcept { return head + size * sizeof(Entry); }
    static Entry shared(Entry entry) noexcept {
        entry.box->inc_ref();
        return entry;
    }
};

void ContextMap::destroy() noexcept { MapAccess::destroy(this); }

namespace {

// Raw memory, for a thread's last destructors may still read and set variables; what they leave set
// is leaked.
struct ThreadSlots {
    ContextSlot* current;
    alignas(ContextSlot) unsigned char root[sizeof(ContextSlot)];
};
constinit thread_local ThreadSlots slots = {};

struct RootCleaner {
    RootCleaner() noexcept {}
    ~RootCleaner() { *std::launder(reinterpret_cast<ContextSlot*>(slots.root)) = ContextSlot(); }
    void arm() noexcept {}
};
thread_local RootCleaner cleaner;

[[gnu::noinline]] void begin_thread() noexcept {
    slots.current = new (slots.root) ContextSlot();
    cleaner.arm();
}

std::string address_text(const char* before, const void* address) {
    char text[32];
    std::snprintf(text, sizeof text, "%p", address);
    return std::string(before).append(text);
}

}  // namespace

[[gnu::noinline]] ContextSlot*& current_context_slot() noexcept {
    if (slots.current == nullptr) [[unlikely]]
        begin_thread();
    return slots.current;
}

ContextSlot ContextSlot::copy_current() noexcept { return copy(*current_context_slot()); }

ContextIdentity* ContextSlot::own_identity() const noexcept {
    if (is_shared()) return nullptr;
    ContextIdentity* identity = MapAccess::identity(map());
    return identity != nullptr && identity->is_of(this) ? identity : nullptr;
}

Ref<ContextIdentity> ContextSlot::identity() {
    if (!is_shared()) {
        if (ContextIdentity* own = own_identity()) return Ref<ContextIdentity>(own);
        return Ref<ContextIdentity>::adopt(new ContextIdentity(this));
    }
    if (!state()->identity) state()->identity = Ref<ContextIdentity>::adopt(new ContextIdentity(nullptr));
    return state()->identity;
}

void ContextSlot::take(ContextSlot& other) noexcept {
    ContextIdentity* moved = other.own_identity();
    bits_ = other.bits_;
    other.bits_ = 0;
    if (moved != nullptr) moved->set_slot(this);
}

void ContextSlot::drop() noexcept {
    if (is_shared()) return state()->dec_ref();
    if (ContextIdentity* own = own_identity()) own->set_slot(nullptr);
    map()->dec_ref();
}

/// An empty map is kept for its identity: as long as there are tokens of it, besides the last one, used now.
void ContextSlot::drop_empty_map(const ContextIdentity& identity) noexcept {
    constexpr unsigned of_map_and_token = 2;
    if (bits_ == 0 || is_shared() || MapAccess::size(map()) > 0 || !identity.has_references(of_map_and_token)) return;
    drop();
    bits_ = 0;
}

Context ContextSlot::context() {
    if (!is_shared()) {
        auto* state = new ContextState();
        if (ContextIdentity* own = own_identity()) {
            state->identity = Ref<ContextIdentity>(own);  // its tokens are still good
            own->set_slot(nullptr);
        }
        state->map = take_map();
        if (current_context_slot() == this) state->entered_by = this;
        bits_ = reinterpret_cast<std::uintptr_t>(state) | 1U;
    }
    return Context(Ref<ContextState>(state()));
}

Ref<ContextMap> ContextSlot::take_map() noexcept {
    if (is_shared()) return static_cast<Ref<ContextMap>&&>(state()->map);
    auto map = Ref<ContextMap>::adopt(this->map());
    bits_ = 0;
    return map;
}

void ContextSlot::put_map(Ref<ContextMap> map) noexcept {
    if (is_shared()) {
        state()->map.swap(map);
    } else {
        bits_ = reinterpret_cast<std::uintptr_t>(map.release());
    }
}

bool ContextSlot::made(const Token& token) const noexcept {
    if (!is_shared()) return token.context_->is_of(this);
    return token.context_ == state()->identity;
}

void ContextScope::enter(ContextSlot& slot) {
    ContextState* state = slot.state();
    const ContextSlot* nobody = nullptr;
    bool entered = true;
    if (process_has_one_thread()) {  // the main task enters at each of its steps
        entered = state->entered_by == nullptr;
        if (entered) state->entered_by = &slot;
    } else {
        entered =
            __atomic_compare_exchange_n(&state->entered_by, &nobody, &slot, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    }
    if (!entered) {
        throw RuntimeError(address_text("cannot enter context: <Context object at ", state) + "> is already entered");
    }
}

void ContextScope::leave(ContextSlot& slot) noexcept {
    // A slot that became a share while it was entered, but not as the current one, never was marked.
    ContextState* state = slot.state();
    if (__atomic_load_n(&state->entered_by, __ATOMIC_RELAXED) == &slot) {
        __atomic_store_n(&state->entered_by, nullptr, __ATOMIC_RELEASE);
    }
}

ContextVarBase::ContextVarBase(std::string_view name) : name_(name) {
    static std::uint64_t last_id = 0;
    id_ = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
}

const ValueBox* ContextVarBase::find() const noexcept { return MapAccess::find(current_context_slot()->map(), id_); }

const ValueBox* ContextVarBase::find(const Context& context) const noexcept {
    return MapAccess::find(context.state_->map.get(), id_);
}

Token ContextVarBase::put(Ref<ValueBox> box) {
    ContextSlot& slot = *current_context_slot();
    Token token;
    token.var_ = this;
    token.made_ = box;
    token.context_ = slot.identity();
    // The slot keeps its map until the new one is made, unless nobody else has it: only then it is
    // changed in place.
    auto map = slot.take_map();
    try {
        map = MapAccess::with(static_cast<Ref<ContextMap>&&>(map), id_, static_cast<Ref<ValueBox>&&>(box), token.old_,
                              token.context_);
    } catch (...) {
        slot.put_map(static_cast<Ref<ContextMap>&&>(map));
        throw;
    }
    slot.put_map(static_cast<Ref<ContextMap>&&>(map));
    return token;
}

void ContextVarBase::reset(const Token& token) {
    auto describe = [&](const char* used) {
        return address_text((std::string(used) + token.var_->repr() + " at ").c_str(), token.made_.get()) + "> ";
    };
    if (token.made_->token_used_) {
        throw RuntimeError(describe("<Token used var=") + "has already been used once");
    }
    if (token.var_ != this) throw ValueError(describe("<Token var=") + "was created by a different ContextVar");
    ContextSlot& slot = *current_context_slot();
    if (!slot.made(token)) throw ValueError(describe("<Token var=") + "was created in a different Context");
    Ref<ValueBox> replaced;
    auto map = slot.take_map();
    try {
        map = MapAccess::with(static_cast<Ref<ContextMap>&&>(map), id_, token.old_, replaced, token.context_);
    } catch (...) {
        slot.put_map(static_cast<Ref<ContextMap>&&>(map));
        throw;
    }
    slot.put_map(static_cast<Ref<ContextMap>&&>(map));
    token.made_->token_used_ = true;
    slot.drop_empty_map(*token.context_);
}

std::string ContextVarBase::repr() const {
    return address_text(("<ContextVar name=" + detail::quoted(name_) + " at ").c_str(), this) + ">";
}

void ContextVarBase::throw_lookup_error() const { throw LookupError(repr()); }
void ContextVarBase::throw_key_error() const { throw KeyError(repr()); }

}  // namespace detail

Token::Guard::~Guard() {
    try {
        token_.var_->reset(token_);
    } catch (...) {  // used, or elsewhere: promised to be silent
    }
}

Context::Context() : state_(detail::Ref<detail::ContextState>::adopt(new detail::ContextState())) {}

Context Context::copy() const {
    Context result;
    result.state_->map = state_->map;
    return result;
}

std::size_t Context::size() const noexcept { return detail::MapAccess::size(state_->map.get()); }

bool Context::contains(const detail::ContextVarBase& var) const noexcept { return var.find(*this) != nullptr; }

Context copy_context() { return detail::ContextSlot::copy_current().context(); }

}  // namespace asyncio
