#pragma once

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>
#include <asyncio/net/protocols.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// Both ends of a pipe, closed at the end.
class PipeEnds {
public:
    explicit PipeEnds(int flags = O_NONBLOCK) { EXPECT_EQ(::pipe2(ends_, flags | O_CLOEXEC), 0); }
    ~PipeEnds() {
        close_reader();
        close_writer();
    }
    PipeEnds(const PipeEnds&) = delete;
    int reader() const { return ends_[0]; }
    int writer() const { return ends_[1]; }
    int give_reader() { return std::exchange(ends_[0], -1); }
    int give_writer() { return std::exchange(ends_[1], -1); }
    void close_reader() { close(ends_[0]); }
    void close_writer() { close(ends_[1]); }
    void write(const std::string& text) const {
        EXPECT_EQ(::write(writer(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::string read() const {
        std::string text(65536, '\0');
        ssize_t size = ::read(reader(), text.data(), text.size());
        if (size < 0) return "error " + std::to_string(errno);
        text.resize(static_cast<std::size_t>(size));
        return text;
    }
    void fill() const {
        std::string text(4096, ' ');
        while (::write(writer(), text.data(), text.size()) > 0) {
        }
    }

private:
    static void close(int& fd) {
        if (fd >= 0) ::close(std::exchange(fd, -1));
    }
    int ends_[2] = {-1, -1};
};

/// Notes what it is told.
class NotingPipe : public asyncio::Protocol {
public:
    explicit NotingPipe(std::vector<std::string>& events) : events_(events) {}
    void connection_made(asyncio::Transport) override { events_.push_back("made"); }
    void data_received(std::string_view data) override { events_.push_back("data " + std::string(data)); }
    bool eof_received() override {
        events_.push_back("eof");
        return false;
    }
    void pause_writing() override { events_.push_back("pause"); }
    void resume_writing() override { events_.push_back("resume"); }
    void connection_lost(std::exception_ptr error) override {
        events_.push_back(error ? "lost " + asyncio::repr(error).substr(0, asyncio::repr(error).find('(')) : "lost");
    }

private:
    std::vector<std::string>& events_;
};

}  // namespace support
