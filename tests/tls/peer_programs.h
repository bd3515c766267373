#pragma once

#include <asyncio/asyncio.h>

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tls/certificates.h"

namespace support {

/// A folder with the certificates of the tests, and programs that are run there.
class Programs {
public:
    Programs() {
        char name[] = "/tmp/asyncio-tls-XXXXXX";
        folder_ = ::mkdtemp(name);
        write("ca.pem", authority().certificate);
        write("cert.pem", localhost().certificate);
        write("key.pem", localhost().key);
    }
    ~Programs() { std::filesystem::remove_all(folder_); }
    Programs(const Programs&) = delete;

    void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ + "/" + name) << text; }
    std::string read(const std::string& name) const {
        std::ifstream file(folder_ + "/" + name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// Runs it to its end and gives what it says; to be called on a thread.
    std::string run(const std::string& command) const {
        std::FILE* pipe = ::popen(("cd " + folder_ + " && " + command + " 2>&1").c_str(), "r");
        std::string text;
        char part[1000];
        while (std::fgets(part, sizeof part, pipe) != nullptr) text += part;
        int status = ::pclose(pipe);
        return text + (status != 0 ? "status " + std::to_string(status) : "");
    }

private:
    std::string folder_;
};

/// Waits until a program has written its port.
inline asyncio::Coro<int> port_in(const Programs& programs) {
    for (int i = 0; i < 3000; ++i) {
        std::string text = programs.read("port");
        if (!text.empty() && text.back() == '\n') co_return std::stoi(text);
        co_await asyncio::sleep(0.01);
    }
    throw asyncio::RuntimeError("the program does not begin");
}

}  // namespace support
