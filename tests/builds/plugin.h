#pragma once

#include <asyncio/asyncio.h>

#include <string>

// What the plugin gives the program: all else of it is hidden.
#define PLUGIN_EXPORT [[gnu::visibility("default")]]

struct PLUGIN_EXPORT PluginError : asyncio::RuntimeError {
    using RuntimeError::RuntimeError;
};

PLUGIN_EXPORT asyncio::Coro<std::string> plugin_value(asyncio::Future<std::string> future);
PLUGIN_EXPORT asyncio::Coro<> plugin_failure(int which);
PLUGIN_EXPORT asyncio::Coro<std::string> plugin_catches(asyncio::Coro<> coro);
PLUGIN_EXPORT std::string plugin_variable();

PLUGIN_EXPORT extern asyncio::ContextVar<std::string> variable;
