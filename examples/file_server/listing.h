#pragma once

#include "files.h"

#include <dirent.h>

#include <memory>
#include <string>

/// A page with links to what is in a folder, in pieces: a folder of a million names costs the memory of one piece.
class Listing {
public:
    /// `path` is for its title. Nobody else may list this OpenFile. Throws asyncio::OSError.
    Listing(const OpenFile& folder, const std::string& path);
    /// The next piece; nothing at the end. Names are in order within a piece, so those of a folder that is not very
    /// large are in order altogether. May wait for the disk. Throws asyncio::OSError.
    std::string next_piece();

private:
    std::unique_ptr<DIR, int (*)(DIR*)> folder_;
    std::string path_;
    bool begun_ = false;
    bool over_ = false;
};
