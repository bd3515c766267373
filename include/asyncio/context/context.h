#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/detail/view_of_temporary.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace asyncio {

class Context;
class Token;
template <class T>
class ContextVar;

namespace detail {
namespace bases {
class ContextVarBase;
}
using bases::ContextVarBase;

// True for the last reference. Who holds the only one need not count down: that saves the dearest instruction.
inline bool drop_reference(unsigned& references) noexcept {
    return __atomic_load_n(&references, __ATOMIC_ACQUIRE) == 1 ||
           __atomic_sub_fetch(&references, 1U, __ATOMIC_ACQ_REL) == 0;
}

/// The value that one `set()` gave to a variable. Shared by contexts, on any thread; the value never changes.
class ValueBox : public Pooled {
public:
    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (drop_reference(references_)) delete this;
    }

protected:
    ValueBox() noexcept = default;
    virtual ~ValueBox();

private:
    friend ContextVarBase;
    unsigned references_ = 1;
    bool token_used_ = false;  // the token of the set() that made this box
};

template <class T>
class TypedBox final : public ValueBox {
public:
    explicit TypedBox(T&& the_value) : value(static_cast<T&&>(the_value)) {}
    T value;
};

class ContextSlot;

/// What tells a context from all others while a token refers to it. Made by the first set() in a context.
class ContextIdentity : public Pooled {
public:
    /// Of the snapshot in this slot; null: of a context that is shared.
    explicit ContextIdentity(const ContextSlot* owner) noexcept : slot_(owner) {}
    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (drop_reference(references_)) delete this;
    }
    bool has_references(unsigned count) const noexcept {
        return __atomic_load_n(&references_, __ATOMIC_ACQUIRE) == count;
    }
    bool is_of(const ContextSlot* owner) const noexcept { return __atomic_load_n(&slot_, __ATOMIC_RELAXED) == owner; }
    void set_slot(const ContextSlot* owner) noexcept { __atomic_store_n(&slot_, owner, __ATOMIC_RELAXED); }

private:
    const ContextSlot* slot_;  // null as well when its snapshot is gone
    unsigned references_ = 1;
};

/// All variables of a context at one moment: an array sorted by variable, immutable while it is
/// shared. Null stands for the empty map. Defined in context.cpp but for the count.
class ContextMap {
public:
    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (drop_reference(references_)) destroy();
    }

private:
    friend class MapAccess;
    ContextMap() noexcept = default;
    void destroy() noexcept;
    unsigned references_ = 1;
    unsigned size_ = 0;
    Ref<ContextIdentity> identity_;  // of the context that made it
};

/// What the handles of one `Context` share. Its map is changed only by the thread that has entered it.
class ContextState : public Pooled {
public:
    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (drop_reference(references_)) delete this;
    }

    Ref<ContextMap> map;
    const ContextSlot* entered_by = nullptr;  // atomic
    Ref<ContextIdentity> identity;            // null while nothing was set

private:
    unsigned references_ = 1;
};

/// The context that a task or a scheduled callback carries: eight bytes, nothing allocated until it is asked for.
///
/// Either a snapshot, whose variables are this slot's own, or a share of a `Context` that others
/// see too. May travel to another thread; is used by one thread at a time, and stays where it is
/// while entered.
class ContextSlot {
public:
    /// An empty snapshot.
    constexpr ContextSlot() noexcept = default;
    ContextSlot(ContextSlot&& other) noexcept {
        if (other.bits_ != 0) take(other);
    }
    ContextSlot& operator=(ContextSlot&& other) noexcept {
        ContextSlot old;
        if (bits_ != 0) old.take(*this);
        if (other.bits_ != 0) take(other);
        return *this;
    }
    ~ContextSlot() {
        if (bits_ != 0) drop();
    }

    /// copy_context(): a snapshot of what the thread's current slot shows now. Two loads and a count.
    static ContextSlot copy_current() noexcept;
    /// The same for a slot at hand, without the thread_local look-up.
    static ContextSlot copy(const ContextSlot& other) noexcept {
        ContextSlot slot;
        slot.begin_as_copy(other);
        return slot;
    }
    /// For a slot that is empty yet.
    void begin_as_copy(const ContextSlot& other) noexcept {
        ContextMap* map = other.map();
        bits_ = reinterpret_cast<std::uintptr_t>(map);
        if (map != nullptr) map->inc_ref();
    }
    static ContextSlot share(const Context& context) noexcept;

    /// The handle that shows and changes what this slot shows; the slot is a share from now on.
    Context context();
    bool is_shared() const noexcept { return (bits_ & 1U) != 0; }
    /// Whether it is a snapshot in which no variable has a value.
    bool is_empty() const noexcept { return bits_ == 0; }

private:
    friend ContextVarBase;
    friend class ContextScope;

    ContextState* state() const noexcept { return reinterpret_cast<ContextState*>(bits_ & ~std::uintptr_t{1}); }
    ContextMap* map() const noexcept { return is_shared() ? state()->map.get() : reinterpret_cast<ContextMap*>(bits_); }
    Ref<ContextMap> take_map() noexcept;
    void put_map(Ref<ContextMap> map) noexcept;
    Ref<ContextIdentity> identity();
    ContextIdentity* own_identity() const noexcept;  // of a snapshot; null if nothing was set in it
    bool made(const Token& token) const noexcept;
    void take(ContextSlot& other) noexcept;
    void drop() noexcept;
    void drop_empty_map(const ContextIdentity& identity) noexcept;

    std::uintptr_t bits_ = 0;  // ContextMap*, or ContextState* with the lowest bit set
};
static_assert(sizeof(ContextSlot) == sizeof(void*));

/// The slot that the thread's code reads and sets its variables in; a thread begins in its own. Never inlined: the
/// address of a thread_local must not be kept across a suspension.
ContextSlot*& current_context_slot() noexcept;

/// Makes a slot the thread's current one while it lives. The slot must outlive it.
/// Throws RuntimeError if the slot shares a Context that is entered already.
class ContextScope {
public:
    explicit ContextScope(ContextSlot& slot) : ContextScope(current_context_slot(), slot) {}
    /// For loops that enter often: `current` is what `current_context_slot()` gave on this thread.
    ContextScope(ContextSlot*& current, ContextSlot& slot) : current_(current), previous_(current), slot_(slot) {
        if (slot.is_shared()) [[unlikely]]
            enter(slot);
        current = &slot;
    }
    ~ContextScope() {
        current_ = previous_;
        if (slot_.is_shared()) [[unlikely]]
            leave(slot_);
    }
    ContextScope(const ContextScope&) = delete;
    ContextScope& operator=(const ContextScope&) = delete;

private:
    static void enter(ContextSlot& slot);
    static void leave(ContextSlot& slot) noexcept;

    ContextSlot*& current_;
    ContextSlot* previous_;
    ContextSlot& slot_;
};

namespace bases {

/// Everything of a ContextVar that is the same for every `T`.
class ContextVarBase {
public:
    explicit ContextVarBase(std::string_view name);
    ContextVarBase(const ContextVarBase&) = delete;
    ContextVarBase& operator=(const ContextVarBase&) = delete;

    /// What it was called when it was made. From any thread. Python: `var.name`.
    const std::string& name() const noexcept { return name_; }

    /// Back to what the variable was before the `set()` that gave this token, in the same context. Works once. Throws
    /// RuntimeError if the token was used, ValueError if it is another variable's or another context's.
    void reset(const Token& token);

protected:
    ~ContextVarBase() = default;  // not virtual
    const ValueBox* find() const noexcept;
    const ValueBox* find(const Context& context) const noexcept;
    Token put(Ref<ValueBox> box);
    [[noreturn]] void throw_lookup_error() const;
    [[noreturn]] void throw_key_error() const;

private:
    friend class asyncio::Context;
    std::string repr() const;
    std::uint64_t id_;  // never used again, so contexts may outlive the variable
    std::string name_;
};

}  // namespace bases
}  // namespace detail

/// What `ContextVar::set()` gives: the way back to the value before it. Copies are the same token. Keeps the old value
/// alive. The variable must outlive it.
///
/// Python: contextvars.Token. `with var.set(x):` is `auto guard = var.set(x).guard();`.
class Token {
public:
    class Guard;
    /// Resets the variable when the guard dies; silent if that was done or if another context is current by then.
    Guard guard() const noexcept;

private:
    friend detail::ContextVarBase;
    friend class detail::ContextSlot;
    Token() noexcept = default;
    detail::ContextVarBase* var_ = nullptr;
    detail::Ref<detail::ValueBox> made_;  // by the set(): has the mark that the token was used
    detail::Ref<detail::ValueBox> old_;   // null: there was no value
    detail::Ref<detail::ContextIdentity> context_;
};

/// What `Token::guard()` gives.
class [[nodiscard]] Token::Guard {
public:
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

private:
    friend class Token;
    explicit Guard(const Token& token) noexcept : token_(token) {}
    Token token_;
};

inline Token::Guard Token::guard() const noexcept { return Guard(*this); }

/// A set of variables and their values, which tasks and callbacks can run in.
///
/// A handle: copies are the same context. Refers to its values' owners only, so it may travel to another thread; it is
/// entered by one thread at a time. Python: contextvars.Context. `==` is Python's `is`.
class Context {
public:
    /// Empty: every variable has its default.
    Context();
    /// A context of its own with the same values; O(1). Python: context.copy().
    Context copy() const;

    /// Calls `function(args...)` with this context as the current one: what it sets stays here.
    /// Throws RuntimeError if the context is entered already, here or on another thread.
    template <class Function, class... Args>
    decltype(auto) run(Function&& function, Args&&... args) const {
        detail::ContextSlot slot = detail::ContextSlot::share(*this);
        detail::ContextScope scope(slot);
        return static_cast<Function&&>(function)(static_cast<Args&&>(args)...);
    }

    /// How many variables have a value here. Python: len(context).
    std::size_t size() const noexcept;
    /// Defaults do not count. Python: var in context.
    bool contains(const detail::ContextVarBase& var) const noexcept;
    /// A copy of its value here, or nothing where it has none: defaults do not count. Python: context.get(var).
    template <class T>
    std::optional<T> get(const ContextVar<T>& var) const;
    /// The value, valid as long as the context is not changed. Throws KeyError if it has none. Python: context[var].
    template <class T>
    const T& operator[](const ContextVar<T>& var) const;

    friend bool operator==(const Context& a, const Context& b) noexcept { return a.state_ == b.state_; }

private:
    friend class detail::ContextSlot;
    friend detail::ContextVarBase;
    explicit Context(detail::Ref<detail::ContextState> state) noexcept
        : state_(static_cast<detail::Ref<detail::ContextState>&&>(state)) {}
    detail::Ref<detail::ContextState> state_;
};

/// A context with the values that the running code sees; O(1). Python: contextvars.copy_context().
Context copy_context();

/// A variable with a value of its own in every context, and so in every task. Define it at namespace scope.
///
/// A context that leaves the variable unset gives the default. Reading is a search in a short sorted array; the first
/// `set()` after a copy copies that array. `T` may be read by other threads through `to_thread()` and the like.
/// ```cpp
/// asyncio::ContextVar<std::string> user{"user", "nobody"};
/// ```
/// Python: contextvars.ContextVar.
template <class T>
class ContextVar : public detail::ContextVarBase {
    static_assert(alignof(T) <= 16, "a ContextVar cannot hold an over-aligned type");

public:
    explicit ContextVar(std::string_view name) : ContextVarBase(name) {}
    ContextVar(std::string_view name, T default_value)
        : ContextVarBase(name), default_(static_cast<T&&>(default_value)) {}

    /// Valid until the variable is set again or reset in this context: copy the value to keep it
    /// across a `co_await`. Throws LookupError if there is neither a value nor a default.
    const T& get() const {
        if (const detail::ValueBox* box = find()) return static_cast<const detail::TypedBox<T>*>(box)->value;
        if (!default_) throw_lookup_error();
        return *default_;
    }
    /// The value, or this one where there is none, whatever the default is: a copy.
    T get(T default_value) const {
        if (const detail::ValueBox* box = find()) return static_cast<const detail::TypedBox<T>*>(box)->value;
        return default_value;
    }
    /// Sets it in the current context, until that token is given to `reset()`. Python: var.set(value).
    Token set(T value) {
        return put(detail::Ref<detail::ValueBox>::adopt(new detail::TypedBox<T>(static_cast<T&&>(value))));
    }

    template <class U>
    requires detail::ViewsTemporary<T, U&&> ContextVar(std::string_view name, U&&) : ContextVarBase(name) {
        refuse<U&&>();
    }
    template <class U>
    requires detail::ViewsTemporary<T, U&&>
    void set(U&&) { refuse<U&&>(); }

private:
    friend class Context;
    template <class U>
    static void refuse() {
        static_assert(!detail::ViewsTemporary<T, U>,
                      "the variable would keep a view of a temporary, which dies with this line: make it a ContextVar "
                      "of what owns the elements, ContextVar<std::string>, say");
    }
    std::optional<T> default_;
};

template <class T>
std::optional<T> Context::get(const ContextVar<T>& var) const {
    const detail::ValueBox* box = var.find(*this);
    if (!box) return std::nullopt;
    return static_cast<const detail::TypedBox<T>*>(box)->value;
}

template <class T>
const T& Context::operator[](const ContextVar<T>& var) const {
    const detail::ValueBox* box = var.find(*this);
    if (!box) var.throw_key_error();
    return static_cast<const detail::TypedBox<T>*>(box)->value;
}

/// A `Context` in an option struct, `{.context = context}`, or none. Refers to the caller's object:
/// read it before returning.
class ContextRef {
public:
    constexpr ContextRef() noexcept = default;
    constexpr ContextRef(decltype(nullptr)) noexcept {}
    ContextRef(const Context& context) noexcept : context_(&context) {}
    explicit operator bool() const noexcept { return context_ != nullptr; }
    const Context& get() const noexcept { return *context_; }  ///< the caller's object; there has to be one

private:
    const Context* context_ = nullptr;
};

inline detail::ContextSlot detail::ContextSlot::share(const Context& context) noexcept {
    ContextSlot slot;
    context.state_->inc_ref();
    slot.bits_ = reinterpret_cast<std::uintptr_t>(context.state_.get()) | 1U;
    return slot;
}

}  // namespace asyncio
