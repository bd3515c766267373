// Runs programs of the conformance language and prints their traces: `interpreter PROGRAMS`, one program a line.
// `interpreter --deadlocks PROGRAMS` looks for deadlocks after each step, and fails where one is told that is none.
#include "deadlock_watch.h"
#include "run.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

int main(int argc, char** argv) {
    bool looks_for_deadlocks = argc == 3 && std::strcmp(argv[1], "--deadlocks") == 0;
    if (argc != 2 && !looks_for_deadlocks) {
        std::fputs("usage: conformance_interpreter [--deadlocks] PROGRAMS\n", stderr);
        return 2;
    }
    if (looks_for_deadlocks) conformance::Trace::watch_deadlocks();
    std::ifstream programs(argv[argc - 1]);
    std::string line;
    while (std::getline(programs, line)) {
        conformance::Node program = conformance::parse(line);
        conformance::Run run(program);
        for (const std::string& event : run.run()) {
            std::fwrite(event.data(), 1, event.size(), stdout);
            std::fputc('\n', stdout);
        }
        std::fputs(".\n", stdout);
        std::fflush(stdout);
    }
    if (looks_for_deadlocks) std::fprintf(stderr, "%ld deadlocks\n", conformance::DeadlockWatch::named());
}
