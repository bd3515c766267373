#include "asio.h"

namespace {

constexpr int callbacks = 1000;

struct Callback {
    asio::io_context& context;
    long left;
    long& count;

    void operator()() {
        ++count;
        if (--left > 0) asio::post(context, *this);
    }
};

long repeat(long n) {
    asio::io_context context(1);
    long count = 0;
    for (int i = 0; i < callbacks; ++i) asio::post(context, Callback{context, n / callbacks, count});
    context.run();
    return count;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"repeat", repeat}}); }
