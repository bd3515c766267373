// The load of the TLS workloads: PORT PID FORM CONNECTIONS N. It prints what N operations cost the server, which is the
// process PID; $BENCH_TLS is the folder of its certificate.
//
// handshake, resumed: a connection, one byte there and back, and its end. download: N MiB that the server sends.
// upload: N MiB for it. echo: 64 bytes there and back, one message under way on each connection; N = 0: the connections
// are left idle after one, and what they take of the server's memory is printed.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "server_process.h"

using bench::fail;

namespace {

constexpr std::size_t piece = 64 * 1024;

[[noreturn]] void fail_by_tls(const char* what) {
    std::fprintf(stderr, "%s: ", what);
    ERR_print_errors_fp(stderr);
    std::exit(1);
}

/// One cipher and one curve, for everybody the same.
SSL_CTX* client_context() {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384");
    SSL_CTX_set1_groups_list(context, "X25519");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    const char* folder = std::getenv("BENCH_TLS");
    std::string cafile = std::string(folder != nullptr ? folder : ".") + "/cert.pem";
    if (SSL_CTX_load_verify_file(context, cafile.c_str()) != 1) fail_by_tls("load_verify_file");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return context;
}

class Connection {
public:
    Connection(SSL_CTX* context, int port, SSL_SESSION* session = nullptr) {
        descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int on = 1;
        ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
        tls_ = SSL_new(context);
        SSL_set_fd(tls_, descriptor_);
        SSL_set1_host(tls_, "localhost");
        SSL_set_tlsext_host_name(tls_, "localhost");
        if (session != nullptr) SSL_set_session(tls_, session);
        if (SSL_connect(tls_) != 1) fail_by_tls("connect");
        if (session != nullptr && !SSL_session_reused(tls_)) fail_by_tls("the session was not resumed");
    }
    ~Connection() {
        SSL_free(tls_);
        ::close(descriptor_);
    }
    Connection(const Connection&) = delete;

    int descriptor() const { return descriptor_; }
    SSL_SESSION* session() const { return SSL_get1_session(tls_); }
    void write(const char* data, std::size_t size) {
        if (SSL_write(tls_, data, static_cast<int>(size)) != static_cast<int>(size)) fail_by_tls("write");
    }
    std::size_t read(char* data, std::size_t size) {
        int count = SSL_read(tls_, data, static_cast<int>(size));
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    /// Says good-bye, and waits for the server's or its end.
    void end() {
        SSL_shutdown(tls_);
        char rest[1000];
        while (read(rest, sizeof rest) > 0) {
        }
        ERR_clear_error();
    }
    void send() {
        ++message_[0];
        write(message_, sizeof message_);
    }
    void receive() {
        char echo[sizeof message_];
        for (std::size_t got = 0; got < sizeof echo;) {
            std::size_t count = read(echo + got, sizeof echo - got);
            if (count == 0) fail_by_tls("read");
            got += count;
        }
        if (!std::equal(echo, echo + sizeof echo, message_)) fail_by_tls("other bytes came back");
    }

private:
    int descriptor_;
    SSL* tls_;
    char message_[64] = {};
};

class Load {
public:
    Load(SSL_CTX* context, int port, std::size_t connections) {
        for (std::size_t i = 0; i < connections; ++i) {
            auto* made = new Connection(context, port);  // lives as long as the program
            connections_.push_back(made);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, made->descriptor(), &event);
            made->send();
            made->receive();
        }
    }
    long round_trips(long count) {
        long begun = 0, ended = 0;
        for (std::size_t i = 0; i < connections_.size() && begun < count; ++i, ++begun) connections_[i]->send();
        epoll_event events[256];
        while (ended < count) {
            int ready = ::epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < ready; ++i) {
                Connection& connection = *connections_[events[i].data.u64];
                connection.receive();
                ++ended;
                if (begun++ < count) connection.send();
            }
        }
        return ended;
    }

private:
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<Connection*> connections_;
};

/// The session that it leaves, for the next one.
SSL_SESSION* shake_hands(SSL_CTX* context, int port, SSL_SESSION* session) {
    Connection connection(context, port, session);
    char byte = 'x';
    connection.write(&byte, 1);
    if (connection.read(&byte, 1) != 1 || byte != 'x') fail_by_tls("read");  // and the tickets before it
    SSL_SESSION* next = connection.session();
    connection.end();
    return next;
}

void handshakes(SSL_CTX* context, int port, bool is_resumed, long count) {
    static SSL_SESSION* last = nullptr;
    for (long i = 0; i < count; ++i) {
        SSL_SESSION* next = shake_hands(context, port, is_resumed ? last : nullptr);
        if (last != nullptr) SSL_SESSION_free(last);
        last = next;
    }
}

void download(SSL_CTX* context, int port, long mebibytes) {
    Connection connection(context, port);
    std::vector<char> buffer(piece);
    for (std::size_t left = static_cast<std::size_t>(mebibytes) << 20; left > 0;) {
        std::size_t count = connection.read(buffer.data(), std::min(left, piece));
        if (count == 0) fail_by_tls("read");
        left -= count;
    }
}

void upload(SSL_CTX* context, int port, long mebibytes) {
    Connection connection(context, port);
    std::vector<char> buffer(piece, 'x');
    for (long i = 0; i < mebibytes * 16; ++i) connection.write(buffer.data(), piece);
    connection.end();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fprintf(stderr, "usage: %s PORT PID FORM CONNECTIONS N\n", argv[0]);
        return 2;
    }
    auto port = std::atoi(argv[1]);
    std::string process = std::string("/proc/") + argv[2], form = argv[3];
    auto connections = static_cast<std::size_t>(std::atol(argv[4]));
    long n = std::atol(argv[5]);
    bench::allow_connections();
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX* context = client_context();
    bool is_resumed = form == "resumed";
    auto run = [&](long count) {
        if (form == "download") download(context, port, count);
        if (form == "upload") upload(context, port, count);
        if (form == "handshake" || is_resumed) handshakes(context, port, is_resumed, count);
    };
    double bytes = bench::resident_bytes(process.c_str());
    Load load(context, port, form == "echo" ? connections : 0);
    form == "echo" ? (void)load.round_trips(static_cast<long>(connections)) : run(form == "download" ? 4 : 20);
    bench::start_clock();
    double cpu = bench::cpu_seconds(process);
    form == "echo" ? (void)load.round_trips(n) : run(n);
    bench::stop_clock();
    cpu = bench::cpu_seconds(process) - cpu;
    bytes = bench::resident_bytes(process.c_str()) - bytes;
    long operations = n > 0 ? n : static_cast<long>(connections);
    std::printf("operations=%ld wall=%.9f cpu=%.9f bytes=%.0f check=%ld\n", operations, bench::figures.wall, cpu, bytes,
                n);
    std::fflush(stdout);
    std::_Exit(0);
}
