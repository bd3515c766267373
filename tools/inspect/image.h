#pragma once

#include "memory.h"

#include "core/description.h"

#include <vector>

namespace inspect {

using asyncio::inspect::Description;

/// A program or a library in the memory that has asyncio in it.
struct Image {
    std::string path;
    Description description;
    std::string library_version;
};

/// All of them: a program can have the library more than once, in plugins. Throws Refusal if there is none that is
/// understood.
std::vector<Image> find_images(Memory& memory);

}  // namespace inspect
