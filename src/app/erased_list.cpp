#include "app/erased_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "base/folder.h"
#include "base/log.h"
#include "graph/commands.h"
#include "graph/retired.h"

namespace novafeed {
namespace {

tl::unexpected<Error> WriteFailure(const std::string& path, int error) {
  const std::string detail =
      "The list of erased users " + path + " could not be written: " + std::strerror(error) + ".";
  if (error == ENOSPC || error == EDQUOT) return Fail(Failure::kStorageFull, "disk_full", detail);
  return Fail(Failure::kInternal, "erased_list_failed", detail);
}

// Appends and makes it durable.
Status Append(const std::string& path, const std::string& lines) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return WriteFailure(path, errno);
  errno = 0;
  const bool written =
      ::write(file, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()) && ::fsync(file) == 0;
  const int error = errno;
  ::close(file);
  if (!written) return WriteFailure(path, error != 0 ? error : ENOSPC);
  // So that a list which was just made is still there after a power cut.
  if (!SyncFolder(std::filesystem::path(path).parent_path())) return WriteFailure(path, errno);
  return {};
}

void EraseNow(GraphStore* graph, UserId user) {
  std::promise<Result<std::int64_t>> answer;
  graph->Write([user](GraphTransaction& tx) { static_cast<void>(EraseUser(tx, user)); },
               [&answer](Result<std::int64_t> result) { answer.set_value(std::move(result)); });
  const Result<std::int64_t> result = answer.get_future().get();
  if (!result) throw StoreError(result.error());
}

}  // namespace

ErasedList::ErasedList(std::string path) : path_(std::move(path)) {
  std::ifstream file(path_);
  if (!file.is_open() && std::filesystem::exists(path_)) {
    throw std::runtime_error("The list of erased users " + path_ + " cannot be read: check who owns it.");
  }
  for (std::string line; std::getline(file, line);) {
    if (const std::optional<Uuid> digest = ParseUuid(line)) known_.insert(*digest);
  }
}

std::vector<Uuid> ErasedList::digests() const {
  const std::scoped_lock lock(mutex_);
  return {known_.begin(), known_.end()};
}

Status ErasedList::Add(std::span<const Uuid> digests) {
  const std::scoped_lock lock(mutex_);
  std::string lines;
  for (const Uuid& digest : digests) {
    if (!known_.contains(digest)) lines += "\n" + digest.ToString();  // behind a line that a crash cut off, too
  }
  if (lines.empty()) return {};
  if (const Status written = Append(path_, lines + "\n"); !written) return written;
  known_.insert(digests.begin(), digests.end());
  return {};
}

Status ErasedList::Add(std::span<const Erasure> erased) {
  std::vector<Uuid> digests;
  digests.reserve(erased.size());
  for (const Erasure& erasure : erased) digests.push_back(RetiredDigest(RetiredKind::kUser, erasure.user.value));
  return Add(digests);
}

void ReconcileErased(ErasedList* list, GraphStore* graph) {
  const std::vector<Uuid> retired = graph->RetiredUsers();
  if (const Status added = list->Add(retired); !added) throw StoreError(added.error());

  const std::unordered_set<Uuid, UuidHash> known(retired.begin(), retired.end());
  std::vector<Uuid> unknown = list->digests();
  std::erase_if(unknown, [&known](const Uuid& digest) { return known.contains(digest); });
  if (unknown.empty()) return;
  // The users first: where the process dies in between, the next start finds the list unknown still.
  const std::vector<UserId> users = graph->FindUsers(unknown);
  for (const UserId user : users) EraseNow(graph, user);
  graph->RetireUsers(unknown);
  if (users.empty()) return;  // nothing of them was there
  Log(LogLevel::kWarn, "erased_again",
      {{"users", static_cast<std::int64_t>(users.size())},
       {"reason", std::string("The store was restored from a backup of before.")}});
}

}  // namespace novafeed
