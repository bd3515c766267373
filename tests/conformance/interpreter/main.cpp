// Runs programs of the conformance language and prints their traces: `interpreter PROGRAMS`, one program a line.
#include "run.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: conformance_interpreter PROGRAMS\n", stderr);
        return 2;
    }
    std::ifstream programs(argv[1]);
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
}
