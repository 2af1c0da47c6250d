#include "app/index_erasure.h"

#include <cstdint>
#include <future>
#include <utility>

#include "index/state.h"

namespace novafeed {
namespace {

constexpr std::int64_t kReachWithinMs = 60'000;

tl::unexpected<Error> Behind() {
  return Fail(Failure::kUnavailable, "index_behind",
              "The index has not taken in what was to be purged: the purge is tried again.", 1000);
}

}  // namespace

IndexErasure::IndexErasure(FeedIndex* index, IndexApplier* applier, SaveSnapshot save_snapshot)
    : index_(index), applier_(applier), save_snapshot_(std::move(save_snapshot)) {}

Status IndexErasure::Reach(const Position& end) {
  if (!Await(applier_, end, kReachWithinMs)) return Behind();
  const Result<Position> saved = save_snapshot_();
  if (!saved) return tl::unexpected<Error>(saved.error());
  if (!Reached(end, *saved)) return Behind();
  return {};
}

Status IndexErasure::Hide(std::span<const Erasure> erased) {
  for (const Erasure& erasure : erased) index_->Rename(erasure.user, erasure.pseudonym);
  const Result<Position> saved = save_snapshot_();
  if (!saved) return tl::unexpected<Error>(saved.error());
  return {};
}

std::vector<UserId> UsersOf(const FeedIndex& index) {
  return index.ReadLong([](const IndexState& state) {
    std::vector<UserId> users;
    users.reserve(state.user_refs.size());
    for (const auto& [user, ref] : state.user_refs) users.push_back(user);
    return users;
  });
}

}  // namespace novafeed
