// A program that does not know asyncio loads modules that have it, uses them on several threads, unloads them, and does
// it all again. Arguments: the modules, of which the first is ballast.
#include <dlfcn.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t most_tls = 160;  // bytes, of one module with what it links

void expect(bool is_so, const char* what) {
    if (is_so) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::_Exit(1);
}

void* load(const char* name) {
    void* module = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) std::fprintf(stderr, "%s\n", ::dlerror());
    expect(module != nullptr, "a module can be loaded");
    return module;
}

template <class Function>
Function* function(void* module, const char* name) {
    auto* found = reinterpret_cast<Function*>(::dlsym(module, name));
    expect(found != nullptr, name);
    return found;
}

void use(void* module) {
    expect(function<int()>(module, "module_run")() == 3, "a module's loop runs");
    try {
        function<void()>(module, "module_fail")();
        expect(false, "a module's error comes here");
    } catch (const std::exception& error) {
        expect(std::strcmp(error.what(), "from the module") == 0, "a module's error comes here whole");
    }
}

void load_and_use(const char* name) {
    void* module = load(name);
    use(module);
    ::dlclose(module);
}

int check_tls(dl_phdr_info* info, std::size_t, void*) {
    if (std::strstr(info->dlpi_name, "asyncio") == nullptr && std::strstr(info->dlpi_name, "module") == nullptr)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_TLS) continue;
        std::printf("%s: %zu bytes of static TLS\n", info->dlpi_name, static_cast<std::size_t>(segment.p_memsz));
        expect(segment.p_memsz <= most_tls, "a module needs little static thread-local storage");
    }
    return 0;
}

}  // namespace

int main(int count, char** names) {
    expect(count >= 3, "there are arguments");
    load(names[1]);
    std::vector<const char*> modules(names + 2, names + count);
    for (int round = 0; round < 5; ++round) {
        for (const char* name : modules) std::thread(load_and_use, name).join();  // nobody else has it: it can go
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back(load_and_use, modules[static_cast<std::size_t>(i) % modules.size()]);
        for (std::thread& thread : threads) thread.join();
    }
    for (const char* name : modules) {
        void* module = load(name);
        std::thread old_thread([&] { use(module); });
        use(module);
        expect(function<int()>(module, "module_signal")() == 1, "a module's loop gets a signal");
        old_thread.join();
        ::dl_iterate_phdr(&check_tls, nullptr);
        ::dlclose(module);
    }
    std::puts("all is well");
}
