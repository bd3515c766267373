"""The walk through the statements of a function: which one is next, and where an error or a return goes."""
from operations import AWAITING, PLAIN, WALKING
from slots import Empty
from text import PATTERNS, describe, make_error


class Level:
    """A block that the walk is in."""
    __slots__ = ("kind", "statement", "block", "at", "rounds", "error", "flow", "held")

    def __init__(self, kind, statement, block, held=None):
        self.kind, self.statement, self.block, self.held = kind, statement, block, held
        self.at = self.rounds = 0
        self.error = self.flow = None

    def goes_to(self, kind, block, error=None, flow=None):
        self.kind, self.block, self.error, self.flow = kind, block, error, flow
        self.at = 0


class Walk:
    """`next()` gives a statement that is to be awaited; then `gave()` or `threw()` says how that ended.

    A flow is None, or (value,) on the way out of a `return`.
    """

    def __init__(self, run, block, yields=False):
        self.run, self.yields = run, yields
        self.levels = [Level("body", None, block)]
        self.error = self.flow = None

    def next(self):
        """None at the end. Plain statements are done on the way."""
        while self.levels:
            level = self.levels[-1]
            if level.at == len(level.block):
                if level.kind == "each" and self.wants_next(level):
                    return level.statement
                self.end(None, None)
                continue
            if self.run.is_tired(1):
                level.at = len(level.block)
                continue
            statement = level.block[level.at]
            level.at += 1
            name = statement[0]
            if name in ENTER:
                ENTER[name](self, statement)
            elif name in PLAIN:
                try:
                    PLAIN[name](self.run, *statement[1:])
                except BaseException as error:
                    self.end(error, None)
            elif name == "yield" and not self.yields:
                self.run.log("yield", "no generator")
            else:
                return statement
        return None

    def act(self, statement):
        """The coroutine of a statement that next() gave."""
        if statement[0] in WALKING:
            return WALKING[statement[0]](self, *statement[1:])
        return AWAITING[statement[0]](self.run, *statement[1:])

    def gave(self, flow):
        if flow is not None:
            self.end(None, flow)

    def threw(self, statement, error):
        if isinstance(error, Empty):
            return self.run.log(statement[0], "empty")
        if statement[0] != "each":
            self.run.log(statement[0], "!", describe(error))
        self.end(error, None)

    def outcome(self):
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error
        return self.flow

    # Blocks.

    def enter(self, level):
        self.levels.append(level)

    def end(self, error, flow):
        """The innermost block is over."""
        level = self.levels.pop()
        AFTER[level.kind](self, level, error, flow)

    def leave(self, level, error, flow):
        """The statement is over."""
        if error is not None:
            self.run.log(level.statement[0], "!", describe(error))
        if error is not None or flow is not None:
            self.end(error, flow)

    def after_body(self, level, error, flow):
        self.error, self.flow = error, flow

    def enter_loop(self, statement):
        level = Level("loop", statement, statement[2])
        level.rounds = 1
        self.enter(level)

    def after_loop(self, level, error, flow):
        if error is None and flow is None and level.rounds < level.statement[1] and not self.run.is_tired(0):
            level.rounds += 1
            level.at = 0
            return self.enter(level)
        self.leave(level, error, flow)

    def enter_try(self, statement):
        self.enter(Level("try", statement, statement[1]))

    def after_try(self, level, error, flow):
        _, _, handlers, otherwise, _ = level.statement
        if error is not None:
            for pattern, action, block in handlers:
                if isinstance(error, PATTERNS[pattern]):
                    self.run.log("except", pattern, describe(error))
                    level.goes_to("handler", block, error)
                    level.held = action
                    return self.enter(level)
        elif otherwise and flow is None:
            level.goes_to("otherwise", otherwise)
            return self.enter(level)
        self.clean_up(level, error, flow)

    def after_handler(self, level, error, flow):
        if error is None and flow is None:
            if level.held == "reraise":
                error = level.error
            elif level.held != "swallow":
                error = make_error(level.held)
        self.clean_up(level, error, flow)

    def after_otherwise(self, level, error, flow):
        self.clean_up(level, error, flow)

    def clean_up(self, level, error, flow):
        final = level.statement[4]
        if not final:
            return self.leave(level, error, flow)
        level.goes_to("final", final, error, flow)
        self.enter(level)

    def after_final(self, level, error, flow):
        if error is None and flow is None:
            error, flow = level.error, level.flow
        self.leave(level, error, flow)

    def enter_except_star(self, statement):
        self.enter(Level("except_star", statement, statement[1]))

    def after_except_star(self, level, error, flow):
        if not isinstance(error, BaseExceptionGroup):
            return self.leave(level, error, flow)
        matched, rest = error.split(PATTERNS[level.statement[2]])
        self.run.log("except*", "-" if matched is None else describe(matched), "-" if rest is None else describe(rest))
        if matched is None:
            return self.leave(level, rest, None)
        level.goes_to("star_handler", level.statement[3], rest)
        self.enter(level)

    def after_star_handler(self, level, error, flow):
        if error is None and level.error is not None:
            error, flow = level.error, None
        self.leave(level, error, flow)

    def after_guard(self, level, error, flow):
        level.held.release()
        self.leave(level, error, flow)

    def enter_each(self, statement):
        if not self.run.generators.has(statement[1]):
            return self.run.log("each", "empty")
        self.enter(Level("each", statement, [], self.run.generators[statement[1]]))

    def wants_next(self, level):
        most = level.statement[2]  # 0: all
        return (most == 0 or level.rounds < most) and not self.run.is_tired(0)

    def got(self, found, value=None):
        """What the generator of the innermost `each` gave."""
        level = self.levels[-1]
        if not found:
            self.run.log("each", level.statement[1], "end")
            return self.end(None, None)
        self.run.log("each", level.statement[1], "=", value)
        level.rounds += 1
        level.goes_to("each", level.statement[3])

    def after_each(self, level, error, flow):
        level.held = None
        self.leave(level, error, flow)


ENTER = {name[6:]: method for name, method in vars(Walk).items() if name.startswith("enter_")}
AFTER = {name[6:]: method for name, method in vars(Walk).items() if name.startswith("after_")}
