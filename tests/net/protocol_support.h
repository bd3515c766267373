#pragma once

#include <asyncio/net/create_connection.h>
#include <asyncio/net/create_server.h>
#include <asyncio/net/protocols.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "net/net_support.h"

namespace support {

/// A protocol that notes what it is told.
class Recorder : public asyncio::Protocol {
public:
    explicit Recorder(std::string* told, bool stays_open = false) : told_(told), stays_open_(stays_open) {}
    ~Recorder() override { note("destroyed;"); }

    void connection_made(asyncio::Transport its_transport) override {
        transport = std::move(its_transport);
        note("made;");
    }
    void data_received(std::string_view data) override { note("data " + std::string(data) + ";"); }
    bool eof_received() override {
        note("eof;");
        return stays_open_;
    }
    void pause_writing() override { note("pause;"); }
    void resume_writing() override { note("resume;"); }
    void connection_lost(std::exception_ptr error) override {
        note(error ? "lost by " + asyncio::repr(error) + ";" : "lost;");
    }

    asyncio::Transport transport;

protected:
    void note(std::string_view what) { *told_ += what; }

private:
    std::string* told_;
    bool stays_open_;
};

/// The same with a small buffer of its own.
class BufferedRecorder : public asyncio::BufferedProtocol {
public:
    explicit BufferedRecorder(std::string* told) : told_(told) {}
    ~BufferedRecorder() override { note("destroyed;"); }

    void connection_made(asyncio::Transport its_transport) override {
        transport = std::move(its_transport);
        note("made;");
    }
    asyncio::WritableBytes get_buffer(std::ptrdiff_t sizehint) override {
        EXPECT_EQ(sizehint, -1);
        return buffer;
    }
    void buffer_updated(std::size_t size) override { note("buffer " + std::string(buffer.data(), size) + ";"); }
    bool eof_received() override {
        note("eof;");
        return false;
    }
    void connection_lost(std::exception_ptr error) override {
        note(error ? "lost by " + asyncio::repr(error) + ";" : "lost;");
    }

    asyncio::Transport transport;
    std::array<char, 4> buffer = {};

protected:
    void note(std::string_view what) { *told_ += what; }

private:
    std::string* told_;
};

}  // namespace support
