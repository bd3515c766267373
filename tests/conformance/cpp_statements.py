"""How print_cpp writes the statements that have no blocks, and the names of things."""
ERRORS = {"V": "ValueError", "R": "RuntimeError", "L": "LookupError", "O": "OSError", "T": "TimeoutError", "B": "AppBase",
          "C": "CancelledError", "K": "KeyboardInterrupt", "S": "SystemExit", "X": "GeneratorExit"}
RETURN_WHEN = {"all": "ALL_COMPLETED", "first": "FIRST_COMPLETED", "exception": "FIRST_EXCEPTION"}
FACTORIES = ("nullptr", "eager_task_factory", "logging_factory", "create_eager_task_factory(logging_factory)")
THINGS = {"lock": "Lock {}", "event": "Event {}", "cond": "Condition {}", "shared_cond": "Condition {}({})",
          "sem": "Semaphore {}({})", "bsem": "BoundedSemaphore {}({})", "barrier": "Barrier {}({})",
          "queue": "Queue<int> {}({})", "pqueue": "PriorityQueue<int> {}({})", "lqueue": "LifoQueue<int> {}({})"}

# Statements without blocks: {0}, {1} … are the fields as they are, {kind} a field as C++ source.
AWAITED = {
    "sleep": 'co_await asyncio::sleep({ticks});\nlog("sleep", {0});',
    "sleep_value": 'int value = co_await asyncio::sleep({ticks}, {1});\nlog("sleep_value", {0}, value);',
    "call": 'int value = co_await f{0}();\nlog("call", {0}, "=", value);',
    "raise": "{throw_error}",
    "await": 'AnyFuture future = s[{0}];\nco_await future;\nlog("await", {0}, "=", result_text(future));',
    "await_task": 'int value = co_await create_task(f{0}(){task_options});\nlog("await_task", "=", value);',
    "wait_for": '{waited}\nlog("wait_for", "=", {waited_text});',
    "wait": "auto given = Sources({slots}).all;\n"
            "auto result = co_await wait(given, {{.timeout = {limit}, .return_when = {return_when}}});\n"
            'log("wait", "done", positions(given, result.done), "pending", positions(given, result.pending));',
    "completed": 'auto step = c[{0}];\nbool found = co_await step("{1}");\nif (!found) log("completed", {0}, "over");',
    "as_completed": "auto step = completing({sources}, {limit});\n"
                    "int count = 0;\n"
                    "while (true) {{\n"
                    '    bool found = co_await step("{2}");\n'
                    "    if (!found || ++count == {3}) break;\n"
                    "}}\n"
                    'log("as_completed", count);',
    "acquire": 'co_await {thing}.acquire();\nlog("acquire", {0});',
    "event_wait": 'co_await {thing}.wait();\nlog("event_wait", {0});',
    "cond_wait": 'co_await {thing}.wait();\nlog("cond_wait", {0});',
    "cond_wait_for": "auto is_so = [] {{ return predicate({1}); }};\n"
                     'bool result = co_await {thing}.wait_for(is_so);\nlog("cond_wait_for", {0}, result);',
    "barrier_wait": 'int index = co_await {thing}.wait();\nlog("barrier_wait", {0}, index);',
    "barrier_reset": 'co_await {thing}.reset();\nlog("barrier_reset", {0});',
    "barrier_abort": 'co_await {thing}.abort();\nlog("barrier_abort", {0});',
    "put": 'co_await {thing}.put({1});\nlog("put", {0}, {1});',
    "get": 'int value = co_await {thing}.get();\nlog("get", {0}, value);',
    "join": 'co_await {thing}.join();\nlog("join", {0});',
    "next": 'auto item = co_await g[{0}]->next();\nlog_item("next", {0}, item);',
    "athrow": 'auto item = co_await g[{0}]->athrow({error_ptr});\nlog_item("athrow", {0}, item);',
    "aclose": 'co_await g[{0}]->aclose();\nlog("aclose", {0});',
}
PLAIN = {
    "log": 'log("log", {0});',
    "task": "auto task = create_task(f{1}(){task_options});\ns.set({0}, task);\n"
            'log("task", {0}, trace.name_of(task), task.done());',
    "group_task": "auto task = groups[{0}]->create_task(f{2}(){task_options});\ns.set({1}, task);\n"
                  'log("group_task", {1}, trace.name_of(task), task.done());',
    "task_factory": "loop().set_task_factory({factory});",
    "cancel": 'bool accepted = s[{0}].cancel({message});\nlog("cancel", {0}, accepted);',
    "cancel_self": 'bool accepted = own_task().cancel({message});\nlog("cancel_self", accepted);',
    "uncancel": 'int left = task_at({0}).uncancel();\nlog("uncancel", {0}, left);',
    "cancelling": 'log("cancelling", {0}, task_at({0}).cancelling());',
    "set_name": 'task_at({0}).set_name("{1}");\nlog("set_name", {0}, task_at({0}).get_name());',
    "all_tasks": 'std::string names = "all_tasks";\n'
                 'for (const AnyTask& task : all_tasks(loop())) names += " " + trace.name_of(task);\nlog(names);',
    "future": "s.set({0}, loop().create_future<int>());",
    "forget": "s.clear({0});",
    "set_result": 'number_at({0}).set_result({1});\nlog("set_result", {0});',
    "set_exception": 'set_exception(s[{0}], {error_ptr});\nlog("set_exception", {0});',
    "state": 'log("state", {0}, outcome(s[{0}]));',
    "result": 'log("result", {0}, result_text(s[{0}]));',
    "exception": 'std::exception_ptr error = s[{0}].exception();\nlog("exception", {0}, error ? describe(error) : "None");',
    "ensure_future": "AnyFuture source = s[{1}];\ns.set({0}, ensure_future(source));\n"
                     'log("ensure_future", {0}, s[{0}] == source);',
    "remove_callback": "std::size_t removed = callbacks[{0}].future.remove_done_callback(callbacks[{0}].id);\n"
                       'log("remove_callback", {0}, static_cast<int>(removed));',
    "gather": 's.set({0}, gathered({sources}{return_exceptions}));\nlog("gather", {0}, s[{0}].done());',
    "shield": 's.set({0}, {shielded});\nlog("shield", {0}, s[{0}].done());',
    "completing": 'c.set({0}, completing({sources}, {limit}));\nlog("completing", {0});',
    "new_timeout": "timeouts.set({0}, std::make_shared<Timeout>({make_timeout}));",
    "reschedule": 'timeouts[{0}]->reschedule({when_or_none});\nlog("reschedule", {0});',
    "expired": 'log("expired", {0}, timeouts[{0}]->expired(), moment(timeouts[{0}]->when()), repr(*timeouts[{0}]));',
    "new_group": "groups.set({0}, std::make_shared<TaskGroup>());",
    "group_state": 'log("group_state", {0}, shown_repr(repr(*groups[{0}])));',
    "handle_cancel": "Handle handle = handles[{0}];\nbool before = handle.cancelled();\nhandle.cancel();\n"
                     'log("handle_cancel", {0}, before, handle.cancelled());',
    "report": 'loop().call_exception_handler({{.message = "{0}"}});',
    "handler": "trace.set_handler_mode({0});  // 1: fails with ValueError, 2: with KeyboardInterrupt",
    "stop": 'loop().stop();\nlog("stop");',
    "set_var": "tokens.set({0}, {var}.set({1}));",
    "get_var": 'log("get_var", {0}, {var}.get());',
    "reset_var": '{var}.reset(tokens[{0}]);\nint value = {var}.get(-1);\n'
                 'log("reset_var", {0}, value < 0 ? "none" : text(value));',
    "context": "contexts.set({0}, copy_context());",
    "context_get": "auto value = contexts[{0}].get({var});\n"
                   'log("context_get", {0}, {1}, value ? text(*value) : "none");',
    "release": '{thing}.release();\nlog("release", {0});',
    "locked": 'log("locked", {0}, {thing}.locked());',
    "thing_state": 'log("thing_state", {0}, shown_repr(repr({thing})));',
    "event_set": '{thing}.set();\nlog("event_set", {0});',
    "event_clear": '{thing}.clear();\nlog("event_clear", {0}, {thing}.is_set());',
    "set_flag": "flags[{0}] = {1};",
    "notify": '{thing}.notify{notified};\nlog("notify", {0}, {1});',
    "barrier_state": 'log("barrier_state", {0}, {thing}.parties(), {thing}.n_waiting(), {thing}.broken());',
    "put_nowait": '{thing}.put_nowait({1});\nlog("put_nowait", {0}, {1});',
    "get_nowait": 'log("get_nowait", {0}, {thing}.get_nowait());',
    "task_done": '{thing}.task_done();\nlog("task_done", {0});',
    "shutdown": '{thing}.shutdown({flag});\nlog("shutdown", {0}, {1});',
    "queue_state": 'log("queue_state", {0}, static_cast<int>({thing}.maxsize()), static_cast<int>({thing}.qsize()),\n'
                   "    {thing}.empty(), {thing}.full());",
    "generator": 'g.set({0}, std::make_shared<AsyncGenerator<int>>(g{1}()));\nlog("generator", {0});',
    "drop_generator": 'log("drop_generator", {0}, g.has({0}));\ng.clear({0});',
    "same_generator": "g.set({0}, g[{1}]);",
    "soon": "handles.set({0}, loop().{call_soon}(ran{in_context}));",
    "later": "TimerHandle handle = loop().call_later({ticks}, ran{in_context});\nhandles.set({0}, handle);\n"
             'log("later", {0}, moment(handle.when()));',
    "at": "handles.set({0}, loop().call_at(loop().time() + Seconds({ticks}), ran{in_context}));",
}
