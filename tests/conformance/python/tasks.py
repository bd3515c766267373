"""Statements on tasks: making, cancelling, looking at them."""
import asyncio

from items import Item
from operations import plain
from trace import MOST_CANCELS


def is_entered(context):
    try:
        context.run(int)
    except RuntimeError:
        return True
    return False


def new_task(run, create, number, name, eager, context):
    options = {}
    if name:
        options["name"] = name
    if eager >= 0:
        options["eager_start"] = bool(eager)
    if context >= 0 and run.contexts.has(context):
        options["context"] = run.contexts[context]
        if eager != 0 and is_entered(run.contexts[context]):
            options["eager_start"] = False  # differs: eager start in a context in use
    coro = run.call(number, None)
    try:
        return create(coro, **options)
    except BaseException:
        coro.close()
        raise


@plain
def task(run, slot, number, name, eager, context):
    made = new_task(run, asyncio.create_task, number, name, eager, context)
    run.items[slot] = Item(made, "int")
    run.log("task", slot, run.trace.name_of(made), made.done())


@plain
def group_task(run, group, slot, number, name, eager, context):
    made = new_task(run, run.groups[group].create_task, number, name, eager, context)
    run.items[slot] = Item(made, "int")
    run.log("group_task", slot, run.trace.name_of(made), made.done())


@plain
def task_factory(run, mode):
    def make(coro, **options):
        run.log("factory", options.get("name") or "-", options.get("eager_start", "-"))
        return asyncio.Task(coro, **options)

    def factory(loop, coro, **options):
        return make(coro, loop=loop, **options)

    run.loop.set_task_factory((None, asyncio.eager_task_factory, factory, asyncio.create_eager_task_factory(make))[mode])


@plain
def cancel(run, slot, message):
    run.log("cancel", slot, run.items[slot].future.cancel(*((message,) if message else ())))


@plain
def cancel_self(run, message):
    current = asyncio.current_task()
    if current is None:
        return run.log("cancel_self", "no task")
    run.log("cancel_self", current.cancel(*((message,) if message else ())))


def task_at(run, slot):
    return asyncio.current_task() if slot < 0 else run.items[slot].task()


@plain
def uncancel(run, slot):
    found = task_at(run, slot)
    run.log("uncancel", slot, "no task" if found is None else found.uncancel())


@plain
def cancelling(run, slot):
    found = task_at(run, slot)
    run.log("cancelling", slot, "no task" if found is None else min(found.cancelling(), MOST_CANCELS))


@plain
def set_name(run, slot, name):
    found = task_at(run, slot)
    if found is None:
        return run.log("set_name", slot, "no task")
    found.set_name(name)
    run.log("set_name", slot, found.get_name())


@plain
def all_tasks(run):
    run.log("all_tasks", *map(run.trace.name_of, asyncio.tasks.all_tasks(run.loop)))
