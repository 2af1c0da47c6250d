// Where `novafeed olap` keeps its files within a data directory.
#pragma once

#include <filesystem>
#include <string>

namespace novafeed {

// DIR/olap: the engine's files, the lock of the process that owns them, and serve.json with its address
// (data_directory.h). The passwords are in DIR/olap.json.
inline std::string OlapDirectory(const std::string& data_directory) {
  return data_directory + "/olap";
}

// Whether a warehouse was ever filled there. The engine alone (`novafeed olap`, `novafeed sql`) makes the folder, too.
inline bool HoldsWarehouse(const std::string& data_directory) {
  return std::filesystem::exists(OlapDirectory(data_directory) + "/store/metadata/novafeed/log_positions.sql");
}

}  // namespace novafeed
