// A data directory: who holds it, and how the command line finds the process that serves it.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"

namespace novafeed {

// What a running serve tells other commands: DIR/serve.json.
struct ServeInfo {
  std::int64_t pid = 0;
  std::string url;                   // of the API: "http://127.0.0.1:8080"
  std::string admin_url;             // of metrics and administration
  std::string keys_directory;        // where keys.json lies that it goes by
  std::optional<TimeMs> test_clock;  // where `serve --test-clock` holds its clock: tokens are dated by it
};

// The process that serves the directory now: what DIR/serve.json says, if its writer still holds the lock.
std::optional<ServeInfo> FindRunningServe(const std::string& directory);

// kNotFound "no_directory" where there is no such directory, kInternal "bad_directory" where it is something else.
Status RequireDirectory(const std::string& path);

// Whether it is the folder of a node whose graph is elsewhere: a journal of events, and no graph.
bool HoldsNodeOfCluster(const std::string& directory);

// What to do where it is one, and the settings are not a cluster's. kConflict "node_of_cluster".
tl::unexpected<Error> AskForConfig(const std::string& directory);

// The data directory that the settings name, after a look at whose it is, before anything is locked or written: a
// node of a cluster and an embedded platform each keep an erased.list, by which the other one's people would be erased.
// kInvalid "no_data" where the graph is elsewhere (graph.url) and nothing names the directory, because ./data is an
// embedded platform's; kConflict "data_of_platform" where the graph is elsewhere and the directory holds one,
// "node_of_cluster" where it is the other way round and nobody serves it.
Result<std::string> FindDataDirectory(const Settings& settings);

// Now, as tokens for the directory must be dated: its test clock where a serve holds one, else the system's.
TimeMs DirectoryNow(const std::string& directory);

// What this process makes from now on is for its owner only. Before threads start.
void KeepFilesPrivate();

// The exclusive use of a data directory: a lock on DIR/lock that the kernel releases when the process ends, in whatever
// way. Movable; the directory is free again when the last owner is destroyed.
class DataDirectory {
 public:
  enum class Missing { kMake, kRefuse };

  // Locks the directory; with kMake, makes it first (0700). kConflict "directory_in_use": the sentence names the
  // holder; kNotFound "no_directory"; kInternal "bad_directory" where it cannot be made or written.
  static Result<DataDirectory> Lock(const std::string& named, Missing missing);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;
  ~DataDirectory();

  const std::string& path() const { return path_; }
  std::string SnapshotPath() const { return path_ + "/index.snapshot"; }

  // Writes DIR/serve.json atomically (mode 0600). Throws std::runtime_error where it cannot.
  void Announce(const ServeInfo& info) const;
  // Removes it; nothing happens where there is none.
  void Withdraw() const;

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_ = -1;  // file descriptor of DIR/lock
};

}  // namespace novafeed
