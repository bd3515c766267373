// What the loads of servers share: what the server has run so far, by /proc.
#pragma once

#include <dirent.h>

#include <string>

#include "bench.h"

namespace bench {

[[noreturn]] inline void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

/// What all threads of the process have run so far.
inline double cpu_seconds(const std::string& process) {
    std::string threads = process + "/task/";
    double nanoseconds = 0;
    DIR* folder = ::opendir(threads.c_str());
    if (folder == nullptr) fail("the server is gone");
    while (dirent* entry = ::readdir(folder)) {
        if (entry->d_name[0] == '.') continue;  // by ".." the first thread would count twice
        std::FILE* file = std::fopen((threads + entry->d_name + "/schedstat").c_str(), "r");
        if (file == nullptr) continue;
        double ran = 0;
        if (std::fscanf(file, "%lf", &ran) == 1) nanoseconds += ran;
        std::fclose(file);
    }
    ::closedir(folder);
    return nanoseconds * 1e-9;
}

}  // namespace bench
