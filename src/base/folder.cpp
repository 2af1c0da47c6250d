#include "base/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace novafeed {

bool SyncFolder(const std::filesystem::path& folder) {
  const int handle = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return false;
  const bool synced = ::fsync(handle) == 0;
  const int error = errno;
  ::close(handle);
  errno = error;
  return synced;
}

}  // namespace novafeed
