#pragma once

#if __cplusplus < 202002L
#error "asyncio needs C++20: compile with -std=c++20 or later"
#else

// All of asyncio for C++. A program that needs only a part can include that part's header.

#include <asyncio/context/context.h>
#include <asyncio/core/async_generator.h>
#include <asyncio/core/awaitable.h>
#include <asyncio/core/coroutine.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/core/exception_context.h>
#include <asyncio/core/future.h>
#include <asyncio/core/notes.h>
#include <asyncio/core/stack.h>
#include <asyncio/core/task.h>
#include <asyncio/errors/builtin_errors.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/loop/clock.h>
#include <asyncio/loop/handle.h>
#include <asyncio/loop/io_backend.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/create_connection.h>
#include <asyncio/net/create_datagram_endpoint.h>
#include <asyncio/net/create_server.h>
#include <asyncio/net/datagrams.h>
#include <asyncio/net/dns.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/pipes.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/ready.h>
#include <asyncio/net/sendfile.h>
#include <asyncio/net/server.h>
#include <asyncio/net/shared_bytes.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/socket_address.h>
#include <asyncio/net/start_server.h>
#include <asyncio/net/stream_errors.h>
#include <asyncio/net/stream_reader.h>
#include <asyncio/net/stream_reader_protocol.h>
#include <asyncio/net/stream_writer.h>
#include <asyncio/net/transports.h>
#include <asyncio/sync/barrier.h>
#include <asyncio/sync/condition.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/guard.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/queue.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/as_completed.h>
#include <asyncio/tasks/concurrent_future.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/result.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/run_coroutine_threadsafe.h>
#include <asyncio/tasks/runner.h>
#include <asyncio/tasks/shield.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/staggered_race.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/to_thread.h>
#include <asyncio/tasks/wait.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>
#include <asyncio/version.h>

#endif
