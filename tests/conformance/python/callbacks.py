"""Statements on the loop: scheduled calls, contexts, the exception handler."""
import contextvars

from operations import plain
from trace import VARS, X, Y
from virtual_loop import TICK


def scheduled(run, number, block):
    def ran():
        run.log("ran", number, X.get(), Y.get())
        run.plain_block(block)
    return ran


def options(run, context):
    return {"context": run.contexts[context]} if context >= 0 and run.contexts.has(context) else {}


@plain
def soon(run, number, threadsafe, context, block):
    call = run.loop.call_soon_threadsafe if threadsafe else run.loop.call_soon
    run.handles[number] = call(scheduled(run, number, block), **options(run, context))


@plain
def later(run, number, ticks, context, block):
    handle = run.loop.call_later(ticks * TICK, scheduled(run, number, block), **options(run, context))
    run.handles[number] = handle
    run.log("later", number, round(handle.when() / TICK))


@plain
def at(run, number, ticks, context, block):
    when = run.loop.time() + ticks * TICK
    run.handles[number] = run.loop.call_at(when, scheduled(run, number, block), **options(run, context))


@plain
def handle_cancel(run, number):
    handle = run.handles[number]
    before = handle.cancelled()
    handle.cancel()
    run.log("handle_cancel", number, before, handle.cancelled())


@plain
def set_var(run, var, value):
    run.tokens[var] = VARS[var].set(value)


@plain
def get_var(run, var):
    run.log("get_var", var, VARS[var].get())


@plain
def reset_var(run, var):
    VARS[var].reset(run.tokens[var])
    run.log("reset_var", var, VARS[var].get("none"))


@plain
def context(run, slot):
    run.contexts[slot] = contextvars.copy_context()


@plain
def context_run(run, slot, block):
    run.contexts[slot].run(run.plain_block, block)
    run.log("context_run", slot)


@plain
def context_get(run, slot, var):
    run.log("context_get", slot, var, run.contexts[slot].get(VARS[var], "none"))


@plain
def report(run, message):
    run.loop.call_exception_handler({"message": message})


@plain
def handler(run, mode):
    run.trace.handler_mode = mode


@plain
def stop(run):
    run.loop.stop()
    run.log("stop")
