#include "app/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "app/settings_table.h"
#include "base/json.h"

namespace novafeed {
namespace {

std::string Reason() {
  return std::strerror(errno);
}

std::string LockPath(const std::string& directory) {
  return directory + "/lock";
}

std::string ServeInfoPath(const std::string& directory) {
  return directory + "/serve.json";
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<ServeInfo> ReadServeInfo(const std::string& directory) {
  const Result<boost::json::value> document = ParseJson(ReadAll(ServeInfoPath(directory)));
  if (!document) return std::nullopt;
  JsonFields fields(*document);
  const Result<std::int64_t> pid = fields.RequireInt("pid");
  Result<std::string> url = fields.RequireString("url");
  Result<std::string> admin_url = fields.RequireString("admin_url");
  Result<std::string> keys_directory = fields.RequireString("keys_directory");
  const Result<std::optional<std::int64_t>> test_clock = fields.OptionalInt("test_clock");
  if (!pid || !url || !admin_url || !keys_directory || !test_clock) return std::nullopt;
  return ServeInfo{*pid, std::move(*url), std::move(*admin_url), std::move(*keys_directory), *test_clock};
}

// "data/" names the same directory as "data".
std::string WithoutTrailingSlashes(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  return last == std::string::npos ? path.substr(0, 1) : path.substr(0, last + 1);
}

// Makes DIR and the folders above it; those above are as the process' umask has them.
bool MakeDirectory(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (mkdir(path.substr(0, slash).c_str(), 0777) != 0 && errno != EEXIST) return false;
  }
  return mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

Status EnsureDirectory(const std::string& path, DataDirectory::Missing missing) {
  Status there = RequireDirectory(path);
  const bool is_missing = !there && there.error().failure == Failure::kNotFound;
  if (missing == DataDirectory::Missing::kRefuse || !is_missing) return there;
  if (!MakeDirectory(path)) {
    return Fail(Failure::kInternal, "bad_directory",
                "The data directory " + path + " cannot be made (" + Reason() + "): choose another with --data.");
  }
  return {};
}

// Whether some process holds the lock; asking does not take it from anybody.
bool IsLocked(const std::string& directory) {
  const int lock = open(LockPath(directory).c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) return false;
  const bool held = flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(lock);
  return held;
}

bool HoldsGraph(const std::string& directory) {
  return std::filesystem::exists(directory + "/graph.db");
}

tl::unexpected<Error> InUse(const std::string& path) {
  const std::optional<ServeInfo> served = FindRunningServe(path);
  return Fail(Failure::kConflict, "directory_in_use",
              "The data directory " + path + " is in use by process " + ReadAll(LockPath(path)) +
                  (served ? ", which serves it at " + served->url : "") + ": stop that process first.");
}

}  // namespace

Status RequireDirectory(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) {
    return Fail(Failure::kNotFound, "no_directory",
                "There is no data directory " + path + ": name one with --data, or make it with serve or import.");
  }
  if (S_ISDIR(found.st_mode)) return {};
  return Fail(Failure::kInternal, "bad_directory", path + " is not a directory: choose another with --data.");
}

std::optional<ServeInfo> FindRunningServe(const std::string& directory) {
  if (!IsLocked(directory)) return std::nullopt;
  std::optional<ServeInfo> info = ReadServeInfo(directory);
  const bool by_holder = info && std::to_string(info->pid) == ReadAll(LockPath(directory));
  return by_holder ? info : std::nullopt;
}

bool HoldsNodeOfCluster(const std::string& directory) {
  return std::filesystem::exists(directory + "/journal.db") && !HoldsGraph(directory);
}

tl::unexpected<Error> AskForConfig(const std::string& directory) {
  return Fail(Failure::kConflict, "node_of_cluster",
              directory +
                  " is the folder of a node of a cluster: give --config with the settings that it serves with, as "
                  "cluster-data/conf/serve.toml.");
}

Result<std::string> FindDataDirectory(const Settings& settings) {
  const std::string& directory = settings.String("data.directory");
  if (settings.String("graph.url") == kOwnStore) {
    if (HoldsNodeOfCluster(directory) && !FindRunningServe(directory)) return AskForConfig(directory);
    return directory;
  }
  if (settings.IsDefault("data.directory")) {
    return Fail(Failure::kInvalid, "no_data",
                "graph.url names the graph of a cluster, each of whose nodes has a folder of its own: name it with "
                "--data, as cluster-data/node1.");
  }
  if (HoldsGraph(directory)) {
    return Fail(Failure::kConflict, "data_of_platform",
                directory +
                    " holds graph.db, a platform of its own, and graph.url names another graph: give --data with the "
                    "node's own folder, as cluster-data/node1.");
  }
  return directory;
}

TimeMs DirectoryNow(const std::string& directory) {
  const std::optional<ServeInfo> served = FindRunningServe(directory);
  return served && served->test_clock ? *served->test_clock : SystemClock().Now();
}

void KeepFilesPrivate() {
  umask(077);
}

Result<DataDirectory> DataDirectory::Lock(const std::string& named, Missing missing) {
  const std::string path = WithoutTrailingSlashes(named);
  if (Status there = EnsureDirectory(path, missing); !there) return tl::unexpected<Error>(std::move(there.error()));
  const std::string lock_path = LockPath(path);
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return Fail(Failure::kInternal, "bad_directory",
                lock_path + " cannot be written (" + Reason() + "): check who owns the data directory.");
  }
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return InUse(path);
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    close(lock);
    return Fail(Failure::kStorageFull, "bad_directory", lock_path + " cannot be written (" + Reason() + ").");
  }
  return DataDirectory(path, lock);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) close(lock_);
}

void DataDirectory::Announce(const ServeInfo& info) const {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject().Key("pid").Int(info.pid).Key("url").String(info.url).Key("admin_url").String(info.admin_url);
  json.Key("keys_directory").String(info.keys_directory);
  if (info.test_clock) json.Key("test_clock").Int(*info.test_clock);
  json.EndObject();
  text += '\n';

  const std::string path = ServeInfoPath(path_);
  const std::string temporary = path + ".new";
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) close(file);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    throw std::runtime_error(path + " cannot be written (" + Reason() + "): make room, or check who owns it.");
  }
}

void DataDirectory::Withdraw() const {
  unlink(ServeInfoPath(path_).c_str());
}

}  // namespace novafeed
