#include <asyncio/introspect/metrics.h>

#include <charconv>
#include <cmath>

namespace asyncio {

namespace {

std::string escaped(std::string_view label) {
    std::string text;
    for (char c : label) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}

std::string number(double value) {
    if (std::isinf(value)) return "+Inf";
    char digits[64];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// The lines of one metric after the other.
class Page {
public:
    explicit Page(std::string_view loop_name) : label_("loop=\"" + escaped(loop_name) + "\"") {}

    void counter(std::string_view name, std::string_view help, std::uint64_t value) {
        one(name, help, "counter", value);
    }
    void gauge(std::string_view name, std::string_view help, std::uint64_t value) { one(name, help, "gauge", value); }
    void histogram(std::string_view name, std::string_view help, const DurationHistogram& of) {
        head(name, help, "histogram");
        std::uint64_t so_far = 0;
        for (std::size_t i = 0; i < DurationHistogram::size; ++i) {
            so_far += of.count(i);
            line(std::string(name) + "_bucket", label_ + ",le=\"" + number(DurationHistogram::bound(i).count()) + "\"",
                 std::to_string(so_far));
        }
        line(std::string(name) + "_sum", label_, number(of.sum().count()));
        line(std::string(name) + "_count", label_, std::to_string(of.count()));
    }
    std::string take() { return std::move(text_); }

private:
    void one(std::string_view name, std::string_view help, std::string_view type, std::uint64_t value) {
        head(name, help, type);
        line(name, label_, std::to_string(value));
    }
    void head(std::string_view name, std::string_view help, std::string_view type) {
        text_ += "# HELP " + std::string(name) + " " + std::string(help) + "\n";
        text_ += "# TYPE " + std::string(name) + " " + std::string(type) + "\n";
    }
    void line(std::string_view name, std::string_view labels, std::string_view value) {
        text_ += std::string(name) + "{" + std::string(labels) + "} " + std::string(value) + "\n";
    }

    std::string label_;
    std::string text_;
};

}  // namespace

std::string prometheus_text(const LoopMetrics& metrics, std::string_view loop_name) {
    Page page(loop_name);
    page.counter("asyncio_tasks_begun_total", "Tasks that were begun.", metrics.tasks_begun);
    page.counter("asyncio_tasks_ended_total", "Tasks that have ended.", metrics.tasks_ended);
    page.gauge("asyncio_tasks_live", "Tasks that have begun and not ended.", metrics.tasks_live);
    page.counter("asyncio_steps_total", "Steps of tasks and callbacks that the loop has run.", metrics.steps);
    page.counter("asyncio_passes_total", "Turns of the loop.", metrics.passes);
    page.gauge("asyncio_ready", "What is ready to run.", metrics.ready);
    page.gauge("asyncio_timers", "Timers that wait for their time.", metrics.timers);
    page.gauge("asyncio_connections", "Open transports, servers and children.", metrics.connections);
    page.gauge("asyncio_calls_on_threads", "Calls that run on a thread or wait for one.", metrics.calls_on_threads);
    return page.take();
}

std::string prometheus_text(const StepMetrics& metrics, std::string_view loop_name) {
    Page page(loop_name);
    page.histogram("asyncio_step_seconds", "How long a step held the loop.", metrics.steps);
    page.histogram("asyncio_delay_seconds", "From when something became ready, or was due, to its turn.",
                   metrics.delays);
    return page.take();
}

}  // namespace asyncio
