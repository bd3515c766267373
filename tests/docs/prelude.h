#pragma once

// What a snippet of the docs may use without saying so; tools/extract_snippets.py puts this in front of each file.

#include <asyncio/asyncio.h>
#ifdef ASYNCIO_DOCS_OF_TLS
#include <asyncio/tls.h>
#endif

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

/// Stands for any request that takes a while.
inline Coro<std::string> fetch(std::string what) {
    co_await sleep(1ms);
    co_return "<" + what + ">";
}

/// Stands for work that nobody wants to wait for.
inline Coro<> long_running_task() { co_await sleep(1h); }

/// Stands for whatever is done with a value.
template <class T>
void use(const T&) {}
