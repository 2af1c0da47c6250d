// What the file system needs besides the files themselves.
#pragma once

#include <filesystem>

namespace novafeed {

// Makes the names in a folder durable: of files that were made, or renamed, in it. False where that fails (errno says
// why). An empty path is the current folder, as std::filesystem::path::parent_path gives it.
bool SyncFolder(const std::filesystem::path& folder);

}  // namespace novafeed
