#include "app/purge_follower.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/log.h"
#include "capture/purged_names.h"

namespace novafeed {
namespace {

void Require(const Status& status) {
  if (!status) throw StoreError(status.error());
}

// 0 where there is no file, or none that can be read: then everything is done once more.
std::int64_t ReadNumber(const std::string& path) {
  std::int64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

// Where a power cut takes it back, everything is done once more.
void WriteNumber(const std::string& path, std::int64_t number) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << number << "\n";
  file.close();
  std::error_code failed;
  if (file) std::filesystem::rename(fresh, path, failed);
  if (!file || failed) {
    throw StoreError(Error{Failure::kInternal, "purged_not_noted",
                           "What was purged could not be noted in " + path + ": it is tried again.", 0});
  }
}

}  // namespace

PurgeFollower::PurgeFollower(Purges* purges, PurgedNode node, std::string path)
    : purges_(purges), node_(std::move(node)), path_(std::move(path)), applied_(ReadNumber(path_)) {}

// The journal first, so that nothing names them any more behind the end that is taken then; and what was read of it
// before is applied when the others have reached that end.
void PurgeFollower::Follow() {
  const std::scoped_lock lock(mutex_);
  const std::vector<PurgedUser> purged = purges_->ReadPurged(applied_);
  if (purged.empty()) return;
  node_.hide_in_journal(purged);
  Position end = node_.end();
  std::vector<Uuid> digests;
  for (const PurgedUser& user : purged) {
    end.changes = std::max(end.changes, user.changes);
    digests.push_back(user.digest);
  }
  for (const PurgedNode::Consumer& consumer : node_.consumers) Require(consumer.consumer->Reach(end));
  Require(node_.list->Add(digests));
  for (const PurgedNode::Consumer& consumer : node_.consumers) HideIn(consumer, purged);
  WriteNumber(path_, purged.back().number);
  applied_ = purged.back().number;
  Log(LogLevel::kInfo, "purge_followed", {{"users", static_cast<std::int64_t>(purged.size())}});
}

void PurgeFollower::HideIn(const PurgedNode::Consumer& consumer, std::span<const PurgedUser> purged) {
  if (!consumer.users) return;
  const std::vector<Erasure> named = PurgedNames(purged).Among(consumer.users());
  if (!named.empty()) Require(consumer.consumer->Hide(named));
}

}  // namespace novafeed
