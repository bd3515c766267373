#pragma once

#include "node.h"

#include <exception>
#include <memory>
#include <vector>

namespace conformance {

/// The walk through the statements of a function: which one is next, and where an error or a return goes.
///
/// `next()` gives a statement that is to be awaited; then `gave()` or `threw()` says how that ended.
class Walk {
public:
    Walk(Run& run, const Node& block, bool yields = false);

    /// Null at the end. Plain statements are done on the way.
    const Node* next();
    void gave(const Flow& flow);
    void threw(const Node& statement, std::exception_ptr error);
    /// What the function returns; throws what it ended with.
    Flow outcome();

    // For statements that enter a block.
    enum class Kind { body, loop, tried, handler, otherwise, final, starred, star_handler, guarded, each };
    void enter(Kind kind, const Node& statement, const Node& block, std::shared_ptr<void> held = nullptr);
    /// What the innermost block holds: a guard, or the generator of an `each`.
    const std::shared_ptr<void>& held() const { return levels_.back().held; }
    /// What the generator of the innermost `each` gave.
    void got(const std::optional<int>& value);
    Run& run() const noexcept { return run_; }

private:
    /// A block that the walk is in.
    struct Level {
        Kind kind = Kind::body;
        const Node* statement = nullptr;
        const Node* block = nullptr;
        std::size_t at = 0;
        int rounds = 0;
        std::exception_ptr error = nullptr;  // what goes on behind this block
        Flow flow = std::nullopt;
        const Node* action = nullptr;  // of an except clause
        std::shared_ptr<void> held = nullptr;
    };

    void end(std::exception_ptr error, const Flow& flow);
    void leave(const Level& level, std::exception_ptr error, const Flow& flow);
    void go_to(Level& level, Kind kind, const Node& block, std::exception_ptr error = nullptr, Flow flow = {});
    bool wants_next(const Level& level) const;
    void after_loop(Level& level, std::exception_ptr error, const Flow& flow);
    void after_try(Level& level, std::exception_ptr error, const Flow& flow);
    void after_handler(Level& level, std::exception_ptr error, const Flow& flow);
    void clean_up(Level& level, std::exception_ptr error, const Flow& flow);
    void after_except_star(Level& level, std::exception_ptr error, const Flow& flow);

    Run& run_;
    bool yields_;
    std::vector<Level> levels_;
    std::exception_ptr error_;
    Flow flow_;
};

}  // namespace conformance
