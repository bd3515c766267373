"""Random programs of the conformance language, the same for the same seed.

Weighted towards trouble: few slots and short times, so that cancels, failures and completions meet in one turn; each
program has a focus, so that a construct meets itself. A function calls only functions after it: every program ends.
"""
import itertools
import json
import random

from language import AWAITED, PLAIN, STATEMENTS, THINGS, THINGS_OF_FIELD
from weights import CHOICES, FAIL, FLAGS, FOCI, FOCI_OF_WAITS, FOCI_OF_WEIGHT, THINGS_OF_FOCUS, WEIGHTS

SLOTS = 5
MOST_DEPTH = 4
MOST_PLAIN_DEPTH = 2
NEED_THINGS = {name for name, fields in STATEMENTS.items() if any(field in THINGS_OF_FIELD for field in fields)}
NEED_GENERATORS = {name for name, fields in STATEMENTS.items() if "generator" in fields}
NESTED = {name for name, fields in STATEMENTS.items() if any("block" in field for field in fields)}


class Impossible(Exception):
    """There is nothing to put into a field."""


class Generator:
    def __init__(self, seed, weight=""):
        self.random = random.Random(seed)
        self.fatal = self.chance(0.05)
        self.has_handler = self.fatal or self.chance(0.03)
        self.count = self.random.choice((2, 3, 3, 4, 5))
        self.focus = self.random.choice(FOCI_OF_WEIGHT[weight])
        self.things = self.make_things()
        self.generators = self.choose_generators()
        self.known_choices = {}
        self.budget = self.random.choice((8, 12, 18, 26, 40))

    def chance(self, probability):
        return self.random.random() < probability

    def make_things(self):
        things = []
        kinds = THINGS_OF_FOCUS.get(self.focus)
        for _ in range(self.random.choice((1, 1, 2)) if kinds or self.chance(0.12) else 0):
            kind = self.random.choice(kinds or list(THINGS))
            if kind == "shared_cond":
                things += [["lock"], ["shared_cond", len(things)]]
            else:
                things.append([kind, *([self.random.choice(THINGS[kind])] if THINGS[kind] else [])])
        return things

    def choose_generators(self):
        """The numbers of the functions that yield."""
        if self.focus != "generators" and not self.chance(0.08):
            return set()
        self.count = max(self.count, 3)
        return set(self.random.sample(range(1, self.count), min(self.count - 2, self.random.choice((1, 1, 2)))))

    def program(self):
        functions = [self.function(number) for number in range(self.count)]
        return [self.things, functions, [0, 1] if self.chance(0.08) else [0]]

    def function(self, number):
        self.number = number
        self.yields = number in self.generators
        self.left = self.budget // 2 + 3 if number else self.budget
        body = self.block(0, 2, 7)
        if number == 0:
            # Main begins with tasks: without them nothing meets.
            first = [self.make("task" if self.chance(0.8) else "future", 0) for _ in range(self.random.choice((1, 2, 3)))]
            first += [self.make("generator", 0) for _ in self.generators]
            body = first + body
        if self.yields and not any(statement[0] == "yield" for statement in body):
            body.insert(self.random.randint(0, len(body)), self.make("yield", 0))
        if self.chance(0.6):
            body.append(["return", self.random.randrange(1, 9)])
        return body

    # Statements.

    def block(self, depth, least, most):
        statements = []
        for _ in range(self.random.randint(least, most)):
            if self.left <= 0:
                break
            self.left -= 1
            statements.append(self.statement(depth, WEIGHTS))
        return statements or [["sleep", 0]]

    def plain_block(self, depth):
        return [self.statement(depth, PLAIN_WEIGHTS) for _ in range(self.random.choice((0, 0, 1, 1, 2)))]

    def statement(self, depth, weights):
        names, cumulated = self.choices(depth, weights)
        while True:
            try:
                return self.make(self.random.choices(names, cum_weights=cumulated)[0], depth)
            except Impossible:
                continue

    def choices(self, depth, weights):
        """The names of the statements that may stand here, and their weights, added up."""
        nested = depth < (MOST_DEPTH if weights is WEIGHTS else MOST_PLAIN_DEPTH)
        key = weights is WEIGHTS, nested, self.yields
        if key not in self.known_choices:
            names = [name for name in weights if self.is_possible(name) and (nested or name not in NESTED)]
            full_of = (FOCI | FOCI_OF_WAITS)[self.focus]
            boosted = [weights[name] * (5 if name in full_of else 1) for name in names]
            self.known_choices[key] = names, list(itertools.accumulate(boosted))
        return self.known_choices[key]

    def is_possible(self, name):
        if name in NEED_THINGS:
            return bool(self.things)
        if name in NEED_GENERATORS:
            return bool(self.generators)
        if name == "set_flag":
            return any(spec[0].endswith("cond") for spec in self.things)
        return {"yield": self.yields, "stop": self.fatal, "handler": self.has_handler}.get(name, True)

    def make(self, name, depth):
        statement = [name]
        for field in STATEMENTS[name]:
            if field in CHOICES:
                statement.append(self.random.choice(CHOICES[field]))
            elif field in THINGS_OF_FIELD:
                statement.append(self.any_thing(field))
            else:
                statement.append(getattr(self, "any_" + field)(name, depth))
        if name == "group":
            self.add_tasks(statement)
        if name == "try" and not statement[2] and not statement[4]:
            statement[4] = self.block(depth + 1, 1, 2)
        return statement

    def add_tasks(self, group):
        if self.number + 1 == self.count:
            return
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            task = self.make("group_task", 0)
            task[1] = group[1]
            group[2].insert(self.random.randint(0, len(group[2])), task)

    # Fields: any_<kind>(statement's name, depth).

    def any_value(self, name, _):
        return self.random.randrange(1, 9) if name in ("return", "set_var", "yield") else self.random.randrange(100)

    def any_flag(self, name, _):
        return int(self.chance(FLAGS[name]))

    def any_handler(self, *_):
        return self.random.choice((0, 1, 2) if self.fatal else (0, 1))

    def any_new_slot(self, *_):
        return self.random.randrange(1, SLOTS)

    def any_slot(self, *_):
        return 0 if self.chance(0.06) else self.random.randrange(1, SLOTS)

    def any_task_slot(self, *_):
        return self.random.choice((-1, -1, self.any_slot()))

    def any_slots(self, *_):
        return [self.any_slot() for _ in range(self.random.choice((1, 2, 2, 3)))]

    def later_function(self, is_generator):
        numbers = [number for number in range(self.number + 1, self.count) if (number in self.generators) == is_generator]
        if not numbers:
            raise Impossible
        return self.random.choice(numbers)

    def any_function(self, *_):
        return self.later_function(False)

    def any_generator_function(self, *_):
        return self.later_function(True)

    def any_source(self, *_):
        """A slot, or a function to call."""
        if self.chance(0.35):
            try:
                return ["f", self.any_function()]
            except Impossible:
                pass
        return self.any_slot()

    def any_sources(self, *_):
        return [self.any_source() for _ in range(self.random.choice((0, 1, 2, 2, 2, 3, 3)))]

    def any_error(self, name="", depth=0, inside=0):
        kinds = ["V"] * 6 + ["R"] * 3 + ["L", "O", "T", "C", "C", "B", "B"]
        if self.fatal:
            kinds += ["K", "S"] * 3
        if self.generators:
            kinds += ["X"]
        if inside < 2:
            kinds += ["G"] * 2
        kind = self.random.choice(kinds)
        if kind == "G":
            return ["G", self.random.choice(("g1", "g2")),
                    [self.any_error(name, depth, inside + 1) for _ in range(self.random.choice((1, 2, 2, 3)))]]
        if kind == "S":
            return ["S", self.random.choice(("1", "3"))]
        if kind in "KX":
            return [kind, ""]
        return [kind, self.random.choice(("", "x", "y", "z")) if kind in "CT" else self.random.choice("xyz")]

    def any_block(self, name, depth):
        return self.block(depth + 1, *((1, 4) if name == "try" else (1, 3)))

    def any_optional_block(self, name, depth):
        return self.block(depth + 1, 1, 2) if self.chance(0.3) else []

    def any_inner_block(self, name, depth):
        """The body of a with(), without a yield. differs: `async with`"""
        yields, self.yields = self.yields, False
        body = self.block(depth + 1, *((0, 3) if name == "group" else (1, 4)))
        self.yields = yields
        return body

    def any_plain_block(self, name, depth):
        return self.plain_block(depth + 1)

    def any_handlers(self, name, depth):
        handlers = []
        for _ in range(self.random.choice((0, 1, 1, 1, 2))):
            action = self.random.choice(CHOICES["action"])
            handlers.append([self.random.choice(CHOICES["pattern"]), self.any_error() if action == "replace" else action,
                             self.block(depth + 1, 0, 2) if self.chance(0.7) else []])
        return handlers

    def any_thing(self, field):
        numbers = [i for i, spec in enumerate(self.things) if spec[0] in THINGS_OF_FIELD[field]]
        if not numbers:
            raise Impossible
        return self.random.choice(numbers)


PLAIN_WEIGHTS = {name: WEIGHTS.get(name, FAIL) for name in PLAIN} | {"task": 3}
assert set(WEIGHTS) | {"fail"} == set(STATEMENTS), set(WEIGHTS) ^ set(STATEMENTS)


def program(seed, weight=""):
    return Generator(seed, weight).program()


def program_line(seed, weight=""):
    return json.dumps(program(seed, weight), separators=(",", ":"))
