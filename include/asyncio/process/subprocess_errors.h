#pragma once

#include <asyncio/errors/exceptions.h>
#include <asyncio/process/arguments.h>

#include <memory>
#include <string>
#include <utility>

namespace asyncio::subprocess {

/// What a child has written, where that was a pipe.
struct Output {
    std::string stdout;
    std::string stderr;
};

/// A child did not do what was asked of it. Says which, and has what it has written. Python:
/// subprocess.SubprocessError.
class SubprocessError : public RuntimeError {
public:
    /// As Python prints a list: `['sort', '-u']`; of a pipeline with ` | ` between them.
    const std::string& cmd() const noexcept { return kept_->cmd; }
    /// What it had written until then, if that was captured.
    const std::string& stdout() const noexcept { return kept_->output.stdout; }
    /// The same of its errors.
    const std::string& stderr() const noexcept { return kept_->output.stderr; }

protected:
    SubprocessError(std::string text, std::string cmd, Output output);

private:
    struct Kept {
        std::string cmd;
        Output output;
    };
    std::shared_ptr<const Kept> kept_;  // a copy cannot throw
};

/// It ended by itself, but not well. Python: subprocess.CalledProcessError.
class CalledProcessError final : public SubprocessError {
public:
    CalledProcessError(int returncode, std::string cmd, Output output);
    /// Its exit status, or -N if signal N ended it.
    int returncode() const noexcept { return returncode_; }

private:
    int returncode_;
};

/// It took too long, and was ended. No TimeoutError, as in Python: subprocess.TimeoutExpired.
class TimeoutExpired final : public SubprocessError {
public:
    TimeoutExpired(double timeout, std::string cmd, Output output);
    /// In seconds.
    double timeout() const noexcept { return timeout_; }

private:
    double timeout_;
};

}  // namespace asyncio::subprocess
