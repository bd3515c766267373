#pragma once

#include "process/subprocess_state.h"

namespace asyncio::detail {

/// The protocol of one of a child's pipes. CPython: base_subprocess.py, ReadSubprocessPipeProto and its base.
class PipeOfChild final : public Protocol {
public:
    PipeOfChild(SubprocessState& child, int fd) noexcept : child_(&child), fd_(fd) {}

    void connection_made(Transport transport) override { transport_ = transport.handle(); }
    void data_received(std::string_view data) override {
        try {
            if (child_) child_->pipe_data_received(fd_, data);
        } catch (...) {  // no memory: who reads is told that something is missing
            transport()->force_close(std::current_exception());
        }
    }
    void pause_writing() override {
        if (child_) child_->pipe_pauses_writing();
    }
    void resume_writing() override {
        if (child_) child_->pipe_resumes_writing();
    }
    void connection_lost(std::exception_ptr error) override {
        if (Ref<SubprocessState> child = std::exchange(child_, nullptr))
            child->pipe_connection_lost(fd_, std::move(error));
    }
    void detached() noexcept override { Ref<SubprocessState> child = std::exchange(child_, nullptr); }

    /// Null before it is connected.
    TransportState* transport() const noexcept { return transport_.get(); }

private:
    Ref<SubprocessState> child_;  // until it is lost
    TransportHandle transport_;
    const int fd_;
};

}  // namespace asyncio::detail
