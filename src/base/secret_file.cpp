#include "base/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/crypto.h"
#include "base/folder.h"

namespace novafeed {
namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOthersMay = 0077;

// An open file that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

tl::unexpected<Error> Unusable(const std::string& path, const std::string& why) {
  return Fail(Failure::kInternal, "bad_secret_file", "The file of secrets " + path + " cannot be used: " + why);
}

tl::unexpected<Error> SystemError(const std::string& path) {
  return Unusable(path, std::strerror(errno));
}

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

// Makes the file, complete and durable, or leaves the one that another process has made meanwhile: link(), unlike
// rename(), never replaces.
Status MakeFile(const std::string& directory, const std::string& path, std::string_view text) {
  const std::string draft = path + ".new-" + ToHex(RandomBytes(8));
  const File file(draft, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.ok()) return SystemError(draft);
  const bool written = WriteAll(file.descriptor(), text);
  const bool linked = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(draft.c_str());
  if (!linked) return Unusable(path, std::strerror(error));
  if (!SyncFolder(directory)) return SystemError(directory);
  return {};
}

Result<std::string> ReadAll(const std::string& path, int descriptor) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::string> OpenSecretFile(const std::string& directory, const std::string& name,
                                   const std::function<std::string()>& make) {
  const std::string path = directory + "/" + name;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    const Status made = MakeFile(directory, path, make());
    if (!made) return tl::unexpected(made.error());
  }
  const File file(path, O_RDONLY);
  struct stat status{};
  if (!file.ok() || ::fstat(file.descriptor(), &status) != 0) return SystemError(path);
  if ((status.st_mode & kOthersMay) != 0) {
    return Unusable(path,
                    "others than its owner may read or write it; run chmod 600 on it, and put in new secrets if it may "
                    "have been read.");
  }
  return ReadAll(path, file.descriptor());
}

}  // namespace novafeed
