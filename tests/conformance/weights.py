"""How often the random programs contain what."""

CHOICES = {  # the fields that are one of a few values
    "ticks": (0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 5, 5, -1),
    "limit": (-1, 0, 0, 0, 1, 1, 2, 3, 4),
    "when": (-1, 0, 1, 2, 3),
    "times": (2, 2, 3),
    "most": (0, 0, 1, 2),
    "message": ("", "", "m1", "m2"),
    "name": ("", "", "a", "b", "c"),
    "label": ("p", "q"),
    "eager": (-1, -1, -1, -1, 0, 1, 1),
    "context": (-1, -1, -1, 0, 1),
    "context_slot": (0, 1),
    "context_var": (0, 0, 0, 1, 2),
    "return_when": ("all", "first", "exception"),
    "iteration": ("plain", "plain", "plain", "async", "async", "async", "drop"),
    "timeout": (0, 0, 1, 2),
    "group": (0, 0, 0, 1, 2),
    "completion": (0, 0, 0, 1),
    "callback": (0, 1, 2, 3),
    "factory": (0, 1, 1, 1, 2, 3),
    "generator": (0, 0, 1),
    "variable": (0, 1),
    "factor": (0, 1, 1, 2),
    "notified": (1, 1, 2, -1),
    "pattern": ("cancel", "cancel", "cancel", "exception", "exception", "base", "timeout", "value", "group", "app",
                "runtime", "shutdown", "broken", "exit"),
    "action": ("swallow", "swallow", "reraise", "reraise", "replace"),
}

FLAGS = {"gather": 0.4, "timeout": 0.2, "new_timeout": 0.2, "soon": 0.2, "shutdown": 0.3}  # how often they are set

WEIGHTS = {
    # one task
    "sleep": 8, "sleep_value": 0.5, "call": 4, "return": 0.5, "raise": 2, "await": 8, "await_task": 2,
    # blocks
    "loop": 1, "try": 6, "except_star": 1, "timeout": 5, "enter_timeout": 0.4, "group": 5, "enter_group": 0.4,
    "new_timeout": 0.3, "new_group": 0.3, "reschedule": 1.5, "expired": 0.4, "group_state": 0.3,
    # several futures
    "wait_for": 3, "wait": 3, "as_completed": 2, "completing": 0.7, "completed": 1.5, "gather": 2, "shield": 2,
    # tasks
    "task": 9, "group_task": 1.5, "task_factory": 0.3, "cancel": 5, "cancel_self": 1.5, "uncancel": 2, "cancelling": 1,
    "set_name": 0.2, "all_tasks": 0.3,
    # futures
    "future": 2, "forget": 0.3, "set_result": 3, "set_exception": 2, "state": 1, "result": 0.7, "exception": 0.7,
    "ensure_future": 0.2, "callback": 2, "remove_callback": 0.7,
    # the loop
    "log": 1, "soon": 1, "later": 1, "at": 0.5, "handle_cancel": 0.6, "report": 0.2, "handler": 0.3, "stop": 0.2,
    # contexts
    "set_var": 0.8, "get_var": 0.5, "reset_var": 0.9, "context": 0.5, "context_run": 0.4, "context_get": 0.2,
    # locks
    "with": 6, "guard": 4, "acquire": 6, "release": 6, "locked": 1, "thing_state": 1, "event_wait": 6, "event_set": 4.5,
    "event_clear": 2, "cond_wait": 6, "cond_wait_for": 4, "set_flag": 3, "notify": 4.5, "barrier_wait": 6,
    "barrier_reset": 1.5, "barrier_abort": 1.2, "barrier_state": 1,
    # queues
    "put": 6, "get": 9, "join": 3, "put_nowait": 4.5, "get_nowait": 3, "task_done": 3, "shutdown": 1.5, "queue_state": 1,
    # generators
    "yield": 12, "generator": 2, "drop_generator": 2, "same_generator": 0.5, "next": 6, "each": 4, "athrow": 2, "aclose": 3,
}
FAIL = 1.5  # the weight of `fail` in a plain block

FOCI = {  # what a program is full of
    "cancel": ("cancel", "cancel_self", "uncancel", "cancelling", "task", "await", "try"),
    "timeout": ("timeout", "wait_for", "reschedule", "expired", "cancel", "sleep"),
    "group": ("group", "group_task", "cancel", "timeout", "raise"),
    "gather": ("gather", "shield", "await", "cancel", "set_result", "set_exception"),
    "wait": ("wait", "as_completed", "completing", "completed", "await", "cancel", "task"),
    "future": ("future", "set_result", "set_exception", "state", "result", "exception", "callback", "remove_callback"),
    "loop": ("soon", "later", "at", "handle_cancel", "callback", "report"),
    "context": ("context", "context_run", "set_var", "get_var", "reset_var", "task", "soon"),
    "eager": ("task_factory", "task", "group_task", "group", "await_task", "gather", "all_tasks"),
    "locks": ("with", "acquire", "release", "guard", "cancel", "task", "timeout", "wait_for"),
    "conditions": ("with", "cond_wait", "cond_wait_for", "notify", "event_wait", "event_set", "barrier_wait", "cancel", "task"),
    "queues": ("put", "get", "join", "task_done", "cancel", "task", "wait_for"),
    "generators": ("next", "each", "aclose", "athrow", "generator", "cancel", "task", "try"),
    "mixed": (),
}
FOCI_OF_WAITS = {  # in which tasks wait for each other
    "waits": ("await", "gather", "wait", "as_completed", "shield", "wait_for", "timeout", "task", "with", "group"),
}
THINGS_OF_FOCUS = {
    "waits": ("lock", "lock", "cond"),
    "locks": ("lock", "sem", "bsem", "cond"),
    "conditions": ("cond", "cond", "shared_cond", "event", "barrier"),
    "queues": ("queue", "queue", "pqueue", "lqueue"),
}
FOCI_OF_WEIGHT = {"": tuple(FOCI), "sync": ("locks", "conditions", "queues", "generators"), "waits": tuple(FOCI_OF_WAITS)}
