// Where `novafeed olap` keeps its files within a data directory.
#pragma once

#include <string>

namespace novafeed {

// DIR/olap: the engine's files, the lock of the process that owns them, and serve.json with its address
// (data_directory.h). The passwords are in DIR/olap.json.
inline std::string OlapDirectory(const std::string& data_directory) {
  return data_directory + "/olap";
}

}  // namespace novafeed
