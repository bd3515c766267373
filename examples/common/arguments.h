#pragma once

#include <cstdlib>
#include <optional>

/// A number among the arguments of a program, or what it is `otherwise`; nothing if it is none, or out of range.
inline std::optional<double> number(int argc, char** argv, int index, double otherwise, double least, double most) {
    if (argc <= index) return otherwise;
    char* end = nullptr;
    double value = std::strtod(argv[index], &end);
    bool is_number = end != argv[index] && *end == '\0';
    return is_number && value >= least && value <= most ? std::optional(value) : std::nullopt;
}
