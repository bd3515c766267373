#pragma once

#include <vector>

#include "faults/sweep.h"

namespace faults {

std::vector<Program> core_programs();
std::vector<Program> task_programs();
std::vector<Program> sync_programs();
std::vector<Program> socket_programs();
std::vector<Program> stream_programs();
std::vector<Program> pipe_programs();
std::vector<Program> datagram_programs();
std::vector<Program> process_programs();
std::vector<Program> thread_programs();
std::vector<Program> tls_programs();

}  // namespace faults
