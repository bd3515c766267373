// A user's call `connect(queue)` looks for functions in the namespaces of the argument's class and of its bases, too:
// in asyncio, whose functions are documented, but not in asyncio::detail.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>
#include <asyncio/introspect.h>
#include <asyncio/subprocess.h>
#include <asyncio/tls.h>

#include <gtest/gtest.h>

#include <typeinfo>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// What only an argument leads to.
template <class T>
void only_in_detail(const T&);
struct OfTheLibrary {};

}  // namespace asyncio::detail

namespace {

using namespace asyncio;

template <class T>
concept LeadsToDetail = requires(const T& object) {
    only_in_detail(object);
};
template <class Public>
void expect_no_detail() {
    EXPECT_FALSE(LeadsToDetail<Public>) << typeid(Public).name();
}
template <class... Public>
void expect_none() {
    (expect_no_detail<Public>(), ...);
}

TEST(NamesFound, ByAPublicObjectAreNoneOfTheLibrarysOwn) {
    EXPECT_TRUE(LeadsToDetail<detail::OfTheLibrary>);
    expect_none<Context, ContextVar<int>, Token, Coro<int>, AsyncGenerator<int>, Future<int>, Task<int>, AnyFuture,
                AnyTask, EventLoop, Handle, TimerHandle, ConcurrentFuture<int>, TraceRecorder>();
    expect_none<ExecutorJob, Executor, ThreadPoolExecutor, IoOperation, IoBackend, Clock, LoopOptions, Seconds,
                TimePoint>();
    expect_none<Lock, Event, Condition, Semaphore, BoundedSemaphore, Barrier, Guard<Lock>, Queue<int>,
                PriorityQueue<int>, LifoQueue<int>>();
    expect_none<Runner, TaskGroup, Timeout, Result<int>, AsyncExitStack, WaitResult<Task<int>>, StaggeredRace<int>,
                decltype(as_completed(std::declval<Task<int>>())),
                decltype(as_completed(std::declval<std::vector<Coro<>>>()))>();
    expect_none<Socket, TransportSocket, SocketAddress, Server, StreamReader, StreamWriter, StreamReaderProtocol,
                BaseProtocol, Protocol, BufferedProtocol, DatagramProtocol, DatagramBatchProtocol, ProtocolRef<>,
                ProtocolRef<Protocol>, Connection<>, DatagramEndpoint<>, Transport, DatagramTransport, SharedBytes>();
    expect_none<SubprocessProtocol, SubprocessTransport, subprocess::Process, CompletedProcess, Pipeline, LoopMonitor,
                StallWatchdog>();
    expect_none<SSLContext, SSLObject, SSLSession, MemoryBIO>();
    expect_none<CancelledError, RuntimeError, ValueError, OSError, KeyError, TimeoutError, ExceptionGroup,
                BaseExceptionGroup>();
}

}  // namespace
