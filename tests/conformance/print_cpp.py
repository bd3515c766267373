"""A program of the conformance language as C++ source, which runs as it is: see interpreter/prelude.h."""
import language
from cpp_statements import AWAITED, ERRORS, FACTORIES, PLAIN, RETURN_WHEN, THINGS
from print_python import indented

HEAD = '''// Prints its trace. Built by
// g++ -std=c++20 -Iinclude -Isrc -Itests/conformance/interpreter THIS_FILE \\
//     build/release/conformance/libconformance.a build/release/libasyncio.a -luring -pthread
#include "prelude.h"
'''
NOTHING = "std::nullopt"


def error_object(spec):
    if spec[0] == "S":
        return f"SystemExit({spec[1] or 0})"
    if spec[0] == "B":
        return f'AppBase("{spec[1]}")'
    return f'{ERRORS[spec[0]]}({chr(34) + spec[1] + chr(34) if spec[1] else ""})'


def error_ptr(spec):
    if spec[0] == "G":
        children = ", ".join(map(error_ptr, spec[2]))
        return f'group_of("{spec[1]}", {children})'
    if spec[0] == "V" and not spec[1] or spec[0] in "T" and not spec[1]:
        return f'std::make_exception_ptr({ERRORS[spec[0]]}(""))'
    return f"std::make_exception_ptr({error_object(spec)})"


def throw_error(spec):
    return f"std::rethrow_exception({error_ptr(spec)});"


def returns(block):
    """Whether a block has a return statement of its function."""
    return any(statement[0] == "return" for statement in language.statements(block))


def has_yield(statement):
    return any(one[0] == "yield" for one in language.statements([statement]))


def coroutine_body(text, flows):
    end = f"co_return {NOTHING};" if flows else "co_return;"  # which also makes it a coroutine
    return f"[&]() -> Coro<{'Flow' if flows else ''}> {{\n{indented(text)}\n    {end}\n}}"


class Printer:
    def __init__(self, program):
        self.program = program
        self.names = [f"{spec[0].replace('shared_', '')}{i}" for i, spec in enumerate(program[0])]

    def source(self):
        called, generators = language.used_functions(self.program)
        parts = [HEAD]
        for spec, name in zip(self.program[0], self.names):
            size = self.names[spec[1]] if spec[0] == "shared_cond" else spec[-1]
            parts[0] += "\n" + THINGS[spec[0]].format(name, size) + ";"
        parts[0] += "".join(f"\nCoro<int> f{number}();" for number in sorted(called))
        parts[0] += "".join(f"\nAsyncGenerator<int> g{number}();" for number in sorted(generators))
        for number, body in enumerate(self.program[1]):
            if number in called:
                text = self.block(body, False) + f"\nco_return {NOTHING};"
                parts.append(f"Coro<Flow> body{number}() {{\n{indented(text)}\n}}\n"
                             f"Coro<int> f{number}() {{ return function({number}, body{number}); }}")
            if number in generators:
                text = f'log("begin", {number}, x_var.get(), y_var.get());\n' + self.block(body, True)
                parts.append(f"AsyncGenerator<int> g{number}() {{\n{indented(text)}\n}}")
        mains = ", ".join(f"f{number}" for number in (self.program[2] if len(self.program) > 2 else [0]))
        return "\n\n".join(parts) + f"\n\nint main() {{ return run({{{mains}}}); }}\n"

    def block(self, statements, yields):
        return "\n".join(self.statement(statement, yields) for statement in statements)

    def statement(self, statement, yields):
        name = statement[0]
        if name == "return":
            return "co_return;" if yields else f"co_return {statement[1]};"
        if name == "yield" and not yields:
            return 'log("yield", "no generator");'
        if name == "fail":
            return throw_error(statement[1])
        if name in AWAITED:
            return self.step(name, self.filled(AWAITED[name], statement), False, yields)
        if yields and has_yield(statement):
            return getattr(self, "inline_" + name)(statement)
        special = getattr(self, "print_" + name, None)
        if special and name in language.AWAITED:
            return special(statement, yields)
        if special:
            text = special(statement)
        else:
            text = self.filled(PLAIN[name], statement)
            if name in ("soon", "later", "at"):
                body = f'log("ran", {statement[1]}, x_var.get(), y_var.get());\n' + self.block(statement[-1], False)
                text = f"auto ran = [] {{\n{indented(body)}\n}};\n" + text
        return f'plain("{name}", [&] {{\n{indented(text)}\n}});'

    def step(self, name, text, flows, yields=False):
        """An awaited statement. What it leaves to do is done."""
        body = coroutine_body(text, flows)
        if not flows:
            return f'co_await step("{name}", {body});'
        done = "co_return;" if yields else "co_return flow;"
        return f'{{\n    Flow flow = co_await step("{name}", {indented(body).lstrip()});\n    if (flow) {done}\n}}'

    def filled(self, template, statement):
        shown = {}
        for kind, i in language.fields(statement):
            shown.update(self.shown(kind, statement[i]))
        if statement[0] in ("task", "group_task", "await_task"):
            shown["task_options"] = self.task_options(statement)
        if statement[0] == "new_timeout":
            shown["make_timeout"] = self.make_timeout(statement)
        if "waited" in shown:
            shown["waited"] = shown["waited"].format(limit=shown.get("limit"))
        return template.format(*statement[1:], **shown)

    def shown(self, kind, value):
        """How fields of this kind look in source."""
        if kind in ("ticks", "when"):
            return {"ticks": f"{value} * tick.count()"}
        if kind == "limit":
            when = "std::nullopt" if value < 0 else f"loop().time() + Seconds({value} * tick.count())"
            return {"limit": "std::nullopt" if value < 0 else f"Seconds({value} * tick.count())", "when_or_none": when}
        if kind == "source":
            return self.shown_source(value)
        if kind in ("sources", "slots"):
            listed = ", ".join(f"f{one[1]}" if isinstance(one, list) else str(one) for one in value)
            return {kind: f"{{{listed}}}"}
        if kind in language.THINGS_OF_FIELD:
            return {"thing": self.names[value]}
        if kind == "context":
            return {"in_context": f", {{.context = in_context({value})}}" if value >= 0 else ""}
        return {
            "error": lambda: {"error_ptr": error_ptr(value), "throw_error": throw_error(value)},
            "message": lambda: {"message": f'"{value}"' if value else ""},
            "return_when": lambda: {"return_when": RETURN_WHEN[value]},
            "factory": lambda: {"factory": FACTORIES[value]},
            "context_var": lambda: {"var": "xyz"[value] + "_var"},
            "notified": lambda: {"notified": "_all()" if value < 0 else f"({value})"},
            "flag": lambda: {"flag": "true" if value else "false", "return_exceptions": ", return_exceptions" if value else "",
                             "call_soon": "call_soon_threadsafe" if value else "call_soon"},
        }.get(kind, dict)()

    def shown_source(self, value):
        if isinstance(value, list):
            return {"waited": f"int value = co_await wait_for(f{value[1]}(), {{limit}});", "waited_text": "value",
                    "shielded": f"shield(f{value[1]}())"}
        future = f"AnyFuture future = s[{value}];\nco_await wait_for(future, {{limit}});"
        return {"waited": future, "waited_text": "result_text(future)", "shielded": f"shielded(s[{value}])"}

    def task_options(self, statement):
        of = {kind: statement[i] for kind, i in language.fields(statement)}
        options = [f'.name = "{of["name"]}"'] if of["name"] else []
        if of.get("context", -1) >= 0:
            options.append(f'.context = in_context({of["context"]})')
        if of["eager"] >= 0:
            options.append(f'.eager_start = {"true" if of["eager"] else "false"}')
        return f", {{{', '.join(options)}}}" if options else ""

    def make_timeout(self, statement):
        limit = self.shown("limit", statement[2])
        return f"timeout_at({limit['when_or_none']})" if statement[3] else f"timeout({limit['limit']})"

    # Statements with a yield inside: no lambda may be around it.

    def noted(self, name, text):
        return (f"try {{\n{indented(text)}\n}} catch (...) {{\n"
                f'    log("{name}", "!", describe(std::current_exception()));\n    throw;\n}}')

    def inline_yield(self, s):
        return self.noted("yield", f'co_yield {s[1]};\nlog("yield", {s[1]});')

    def inline_loop(self, s):
        return self.noted("loop", f"for (int i = 0; i < {s[1]}; ++i) {{\n{indented(self.block(s[2], True))}\n}}")

    def inline_guard(self, s):
        text = f'auto guard = co_await {self.names[s[1]]}.guard();\nlog("guard", {s[1]});\n{self.block(s[2], True)}'
        return self.noted("guard", text)

    def inline_each(self, s):
        inner = f'log("each", {s[1]}, "=", *value);\n{self.block(s[3], True)}'
        inner += f"\nif (++count == {s[2]}) break;" if s[2] else ""
        return self.noted("each", f"auto generator = g[{s[1]}];\nint count = 0;\nwhile (true) {{\n"
                                  f"    auto value = co_await generator->next();\n    if (!value) {{\n"
                                  f'        log("each", {s[1]}, "end");\n        break;\n    }}\n{indented(inner)}\n}}')

    def caught(self, block, after=""):
        return (f"try {{\n{indented(self.block(block, True) + after)}\n}} catch (...) {{\n"
                "    error = std::current_exception();\n}")

    def inline_try(self, s):
        text = f"std::exception_ptr error;\n{self.caught(s[1])}\n"
        words = "if"
        for pattern, action, block in s[2]:
            after = {"reraise": "\nstd::rethrow_exception(caught);", "swallow": ""}.get(str(action))
            inner = (f'log("except", "{pattern}", describe(error));\n'
                     f"auto caught = std::exchange(error, nullptr);\n"
                     f"{self.caught(block, throw_error(action) if after is None else after)}")
            text += f'{words} (error && matches(error, "{pattern}")) {{\n{indented(inner)}\n}} '
            words = "else if"
        if s[3]:
            text += f"{words} (!error) {{\n{indented(self.caught(s[3]))}\n}}"
        text = text.rstrip() + "\n" + (self.caught(s[4]) + "\n" if s[4] else "")
        return "{\n" + indented(self.noted("try", text + "if (error) std::rethrow_exception(error);")) + "\n}"

    def inline_except_star(self, s):
        text = (f"std::exception_ptr error;\n{self.caught(s[1])}\n"
                "const auto* group = asyncio::exception_cast<BaseExceptionGroup>(error);\n"
                "if (group != nullptr) {\n"
                f'    auto matching = [](const std::exception_ptr& one) {{ return matches(one, "{s[2]}"); }};\n'
                "    auto parts = group->split(matching);\n"
                '    log("except*", describe_or_none(parts.matched), describe_or_none(parts.rest));\n'
                "    error = nullptr;\n"
                f"    if (parts.matched) {{\n{indented(self.caught(s[3]), 2)}\n    }}\n"
                "    if (!error) error = parts.rest;\n}\n"
                "if (error) std::rethrow_exception(error);")
        return "{\n" + indented(self.noted("except_star", text)) + "\n}"

    # Statements with blocks.

    def flowing(self, block):
        return self.block(block, False), returns(block)

    def print_loop(self, s, yields):
        body, flows = self.flowing(s[2])
        return self.step("loop", f"for (int i = 0; i < {s[1]}; ++i) {{\n{indented(body)}\n}}", flows, yields)

    def ending(self, block, extra=""):
        flows = returns(block)
        return f"co_await ending_of({coroutine_body(self.block(block, False) + extra, flows)});"

    def print_try(self, s, yields):
        text = f"Ending block = {self.ending(s[1])}\n"
        words = "if"
        for pattern, action, block in s[2]:
            after = ""
            if action == "reraise":
                after = "\nstd::rethrow_exception(caught);"
            elif action != "swallow":
                after = "\n" + throw_error(action)
            inner = (f'log("except", "{pattern}", describe(block.error));\nstd::exception_ptr caught = block.error;\n'
                     f"block = {self.ending(block, after)}")
            text += f'{words} (is(block, "{pattern}")) {{\n{indented(inner)}\n}} '
            words = "else if"
        if s[3]:
            text += f"{words} (!block.error && !block.flow) {{\n    block = {indented(self.ending(s[3])).lstrip()}\n}}"
        text = text.rstrip() + "\n"
        if s[4]:
            text += f"Ending cleanup = {self.ending(s[4])}\n"
        ended = "end(block, cleanup)" if s[4] else "end(block)"
        flows = returns([s])
        if flows:
            text += f"Flow left = {ended};\nif (left) co_return left;"
        else:
            text += f"{ended};"
        return self.step("try", text, flows, yields)

    def print_except_star(self, s, yields):
        text = (f"Ending block = {self.ending(s[1])}\n"
                "const auto* group = asyncio::exception_cast<BaseExceptionGroup>(block.error);\n"
                "if (group != nullptr) {\n"
                f'    auto matching = [](const std::exception_ptr& one) {{ return matches(one, "{s[2]}"); }};\n'
                "    auto parts = group->split(matching);\n"
                '    log("except*", describe_or_none(parts.matched), describe_or_none(parts.rest));\n'
                "    Ending handled;\n"
                f"    if (parts.matched) {{\n        handled = {indented(self.ending(s[3]), 2).lstrip()}\n    }}\n"
                "    if (parts.rest && !handled.error) handled = {parts.rest, std::nullopt};\n"
                "    block = handled;\n}\n")
        flows = returns([s])
        text += "Flow left = end(block);\nif (left) co_return left;" if flows else "end(block);"
        return self.step("except_star", text, flows, yields)

    def in_block(self, name, make, manager, block, yields, before="", after=""):
        flows = returns(block)
        body = coroutine_body(before + self.block(block, False), flows)
        text = f"{make}auto body = {body};\n"
        if flows:
            text += f"Flow left = co_await with({manager}, body);\nif (left) co_return left;"
        else:
            text += f"co_await with({manager}, body);"
        return name, text + after, flows, yields

    def in_timeout(self, name, slot, make, block, yields):
        name, text, flows, yields = self.in_block(name, "", "*cm", block, yields)
        logged = f'log("timeout", {slot}, cm->expired());'
        inner = coroutine_body(text, flows)
        ended = f"Flow left = end(ending);\nif (left) co_return left;" if flows else "end(ending);"
        return self.step(name, f"{make}\nEnding ending = co_await ending_of({inner});\n{logged}\n{ended}", flows, yields)

    def print_timeout(self, s, yields):
        make = f"auto cm = std::make_shared<Timeout>({self.make_timeout(s)});\ntimeouts.set({s[1]}, cm);"
        return self.in_timeout("timeout", s[1], make, s[4], yields)

    def print_enter_timeout(self, s, yields):
        return self.in_timeout("enter_timeout", s[1], f"auto cm = timeouts[{s[1]}];", s[2], yields)

    def print_group(self, s, yields):
        make = f"auto cm = std::make_shared<TaskGroup>();\ngroups.set({s[1]}, cm);\n"
        return self.step(*self.in_block("group", make, "*cm", s[2], yields, after=f'\nlog("group", {s[1]});'))

    def print_enter_group(self, s, yields):
        make = f"auto cm = groups[{s[1]}];\n"
        return self.step(*self.in_block("enter_group", make, "*cm", s[2], yields, after=f'\nlog("group", {s[1]});'))

    def print_with(self, s, yields):
        return self.step(*self.in_block("with", "", self.names[s[1]], s[2], yields, before=f'log("with", {s[1]});\n',
                                        after=f'\nlog("left", {s[1]});'))

    def print_guard(self, s, yields):
        body, flows = self.flowing(s[2])
        text = f'auto guard = co_await {self.names[s[1]]}.guard();\nlog("guard", {s[1]});\n{body}'
        return self.step("guard", text, flows, yields)

    def print_each(self, s, yields):
        body, flows = self.flowing(s[3])
        most = f"if (++count == {s[2]}) co_return" + (f" {NOTHING};" if flows else ";") if s[2] else ""
        inner = f'log("each", {s[1]}, "=", *value);\n{body}\n{most}'.rstrip()
        text = (f"auto generator = g[{s[1]}];\n" + ("int count = 0;\n" if s[2] else "") +
                f"while (auto value = co_await generator->next()) {{\n{indented(inner)}\n}}\n"
                f'log("each", {s[1]}, "end");')
        return self.step("each", text, flows, yields)

    def print_callback(self, s):
        body = f'log("called", {s[2]}, outcome(done), x_var.get(), y_var.get());\n' + self.block(s[4], False)
        context = self.shown("context", s[3])["in_context"]
        return (f"auto called = [](const AnyFuture& done) {{\n{indented(body)}\n}};\nAnyFuture future = s[{s[1]}];\n"
                f"CallbackId id = future.add_done_callback(called{context});\ncallbacks.set({s[2]}, {{future, id}});")

    def print_context_run(self, s):
        return f'contexts[{s[1]}].run([&] {{\n{indented(self.block(s[2], False))}\n}});\nlog("context_run", {s[1]});'


def source(program):
    return Printer(program).source()
