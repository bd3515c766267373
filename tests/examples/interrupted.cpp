// A lesson, interrupted by Ctrl-C, in a program that catches that: what its tasks refer to must live until they have
// ended. It is linked with --wrap=main.
#include <asyncio/asyncio.h>

extern "C" int __real_main(int, char**);

extern "C" int __wrap_main(int argc, char** argv) {
    try {
        return __real_main(argc, argv);
    } catch (const asyncio::KeyboardInterrupt&) {
        return 130;
    }
}
