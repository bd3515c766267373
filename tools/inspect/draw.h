#pragma once

#include "snapshot.h"

#include <string>

namespace inspect {

/// A line for each task.
std::string draw_table(const Snapshot& snapshot, const Memory* memory);
/// Who waits for whom: as a tree, in the form of Python's `asyncio pstree`; circles are named first.
std::string draw_tree(const Snapshot& snapshot, const Memory* memory);
/// The same for Graphviz.
std::string draw_dot(const Snapshot& snapshot, const Memory* memory);
std::string draw_json(const Snapshot& snapshot, const Memory* memory);

/// The innermost that is not the library's own; null if there is none.
const Place* place_of(const Task& task);
std::string text_of_place(const Place* place);
std::string text_of_loop(const Snapshot& snapshot, const Loop& loop);
std::string text_of_circle(const Snapshot& snapshot, const std::vector<std::size_t>& circle);
/// The coroutines, the outermost first.
std::string text_of_stack(const Task& task);
/// Cut to so many characters, or filled up with blanks.
std::string fit(const std::string& text, std::size_t width);
std::size_t width_of(const std::string& text);

}  // namespace inspect
