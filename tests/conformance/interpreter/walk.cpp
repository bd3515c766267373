#include "walk.h"

#include "operations.h"
#include "run.h"

namespace conformance {

Walk::Walk(Run& run, const Node& block, bool yields) : run_(run), yields_(yields) {
    levels_.push_back({.block = &block});
}

const Node* Walk::next() {
    while (!levels_.empty()) {
        Level& level = levels_.back();
        if (level.at == level.block->size()) {
            if (level.kind == Kind::each && wants_next(level)) return level.statement;
            end(nullptr, std::nullopt);
            continue;
        }
        if (run_.is_tired(1)) {
            level.at = level.block->size();
            continue;
        }
        const Node& statement = (*level.block)[level.at++];
        const Operation& operation = *statement.operation;
        if (operation.entering != nullptr) {
            operation.entering(*this, statement);
        } else if (operation.plain != nullptr) {
            try {
                operation.plain(run_, statement);
            } catch (...) {
                end(std::current_exception(), std::nullopt);
            }
        } else if (operation.awaiting == nullptr && operation.walking == nullptr && !yields_) {
            run_.log("yield", "no generator");
        } else {
            return &statement;
        }
    }
    return nullptr;
}

void Walk::gave(const Flow& flow) {
    if (flow) end(nullptr, flow);
}

namespace {

bool is_empty(const std::exception_ptr& error) { return asyncio::exception_cast<Empty>(error) != nullptr; }

}  // namespace

void Walk::threw(const Node& statement, std::exception_ptr error) {
    if (is_empty(error)) return run_.log(statement[0].text, "empty");
    if (statement[0].text != "each") run_.log(statement[0].text, "!", describe(error));
    end(std::move(error), std::nullopt);
}

Flow Walk::outcome() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return flow_;
}

void Walk::enter(Kind kind, const Node& statement, const Node& block, std::shared_ptr<void> held) {
    levels_.push_back({.kind = kind, .statement = &statement, .block = &block, .rounds = 1, .held = std::move(held)});
}

/// The innermost block is over.
void Walk::end(std::exception_ptr error, const Flow& flow) {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    switch (level.kind) {
        case Kind::body:
            error_ = std::move(error);
            flow_ = flow;
            return;
        case Kind::loop:
            return after_loop(level, std::move(error), flow);
        case Kind::tried:
            return after_try(level, std::move(error), flow);
        case Kind::handler:
            return after_handler(level, std::move(error), flow);
        case Kind::otherwise:
            return clean_up(level, std::move(error), flow);
        case Kind::final:
            if (error || flow) return leave(level, std::move(error), flow);
            return leave(level, level.error, level.flow);
        case Kind::starred:
            return after_except_star(level, std::move(error), flow);
        case Kind::star_handler:
            if (!error && level.error) return leave(level, level.error, std::nullopt);
            return leave(level, std::move(error), flow);
        case Kind::guarded:
        case Kind::each:
            level.held = nullptr;
            return leave(level, std::move(error), flow);
    }
}

/// The statement is over.
void Walk::leave(const Level& level, std::exception_ptr error, const Flow& flow) {
    if (error) run_.log((*level.statement)[0].text, "!", describe(error));
    if (error || flow) end(std::move(error), flow);
}

void Walk::go_to(Level& level, Kind kind, const Node& block, std::exception_ptr error, Flow flow) {
    level.kind = kind;
    level.block = &block;
    level.at = 0;
    level.error = std::move(error);
    level.flow = flow;
    levels_.push_back(std::move(level));
}

void Walk::after_loop(Level& level, std::exception_ptr error, const Flow& flow) {
    if (error || flow || level.rounds == (*level.statement)[1].number || run_.is_tired(0)) {
        return leave(level, std::move(error), flow);
    }
    ++level.rounds;
    go_to(level, Kind::loop, *level.block);
}

void Walk::after_try(Level& level, std::exception_ptr error, const Flow& flow) {
    const Node& statement = *level.statement;
    if (error) {
        for (const Node& handler : statement[2].list) {
            if (!matches(error, handler[0].text)) continue;
            run_.log("except", handler[0].text, describe(error));
            level.action = &handler[1];
            return go_to(level, Kind::handler, handler[2], std::move(error));
        }
    } else if (statement[3].size() > 0 && !flow) {
        return go_to(level, Kind::otherwise, statement[3]);
    }
    clean_up(level, std::move(error), flow);
}

void Walk::after_handler(Level& level, std::exception_ptr error, const Flow& flow) {
    if (!error && !flow) {
        if (level.action->is_list) {
            error = make_error(*level.action);
        } else if (level.action->text == "reraise") {
            error = level.error;
        }
    }
    clean_up(level, std::move(error), flow);
}

void Walk::clean_up(Level& level, std::exception_ptr error, const Flow& flow) {
    const Node& final = (*level.statement)[4];
    if (final.size() == 0) return leave(level, std::move(error), flow);
    go_to(level, Kind::final, final, std::move(error), flow);
}

void Walk::after_except_star(Level& level, std::exception_ptr error, const Flow& flow) {
    auto* group = asyncio::exception_cast<asyncio::BaseExceptionGroup>(error);
    if (group == nullptr) return leave(level, std::move(error), flow);
    const std::string& pattern = (*level.statement)[2].text;
    auto parts = group->split([&pattern](const std::exception_ptr& one) { return matches(one, pattern); });
    run_.log("except*", parts.matched ? describe(parts.matched) : "-", parts.rest ? describe(parts.rest) : "-");
    if (!parts.matched) return leave(level, parts.rest, std::nullopt);
    go_to(level, Kind::star_handler, (*level.statement)[3], parts.rest);
}

bool Walk::wants_next(const Level& level) const {
    int most = (*level.statement)[2].number;  // 0: all
    return (most == 0 || level.rounds <= most) && !run_.is_tired(0);
}

void Walk::got(const std::optional<int>& value) {
    Level& level = levels_.back();
    const Node& statement = *level.statement;
    if (!value) {
        run_.log("each", statement[1].number, "end");
        return end(nullptr, std::nullopt);
    }
    run_.log("each", statement[1].number, "=", *value);
    ++level.rounds;
    level.block = &statement[3];
    level.at = 0;
}

namespace {

void enter_loop(Walk& walk, const Node& s) { walk.enter(Walk::Kind::loop, s, s[2]); }
void enter_try(Walk& walk, const Node& s) { walk.enter(Walk::Kind::tried, s, s[1]); }
void enter_except_star(Walk& walk, const Node& s) { walk.enter(Walk::Kind::starred, s, s[1]); }

}  // namespace

Operations walk_operations() {
    return {{"loop", {.entering = enter_loop}},
            {"try", {.entering = enter_try}},
            {"except_star", {.entering = enter_except_star}},
            {"yield", {}}};
}

}  // namespace conformance
