#include "index/feed_index.h"

#include <algorithm>
#include <stdexcept>

#include "index/state.h"

namespace novafeed {
namespace {

// Entries applied under one entry of the gate, and the rest of the last commit: what a reader may have to wait for.
constexpr std::size_t kSlice = 128;
// Users whose old interactions are looked through at each step of the windows.
constexpr std::size_t kTrimmedUsers = 500;

// The changes of the first commit: they share a sequence.
std::span<const Change> FirstCommit(std::span<const Change> changes) {
  const auto end =
      std::ranges::find_if(changes, [&](const Change& change) { return change.sequence != changes.front().sequence; });
  return {changes.begin(), end};
}

// The first entries, kSlice of them; of a commit either all changes or none.
std::span<const Change> FirstSlice(std::span<const Change> changes) {
  std::size_t count = 0;
  while (count < std::min(kSlice, changes.size())) count += FirstCommit(changes.subspan(count)).size();
  return changes.first(count);
}
std::span<const LoggedEvent> FirstSlice(std::span<const LoggedEvent> events) {
  return events.first(std::min(kSlice, events.size()));
}

// Calls apply(slice) for one slice after the other.
template <class Entry, class F>
void InSlices(std::span<const Entry> entries, F&& apply) {
  while (!entries.empty()) {
    const std::span<const Entry> slice = FirstSlice(entries);
    apply(slice);
    entries = entries.subspan(slice.size());
  }
}

// Applies the commits above the watermark, and moves that at the end of each.
void ApplyNew(IndexState* state, std::span<const Change> changes) {
  std::int64_t& watermark = state->position.changes;
  while (!changes.empty()) {
    const std::span<const Change> commit = FirstCommit(changes);
    changes = changes.subspan(commit.size());
    if (commit.front().sequence <= watermark) continue;
    for (const Change& change : commit) state->Apply(change);
    watermark = commit.front().sequence;
  }
}

// Likewise the events above the watermark of their partition.
void ApplyNew(IndexState* state, std::span<const LoggedEvent> events) {
  for (const LoggedEvent& logged : events) {
    if (logged.IsWithin(state->position.events)) continue;
    state->Apply(logged);
    Advance(&state->position.events, logged);
  }
}

}  // namespace

FeedIndex::FeedIndex(std::string generation, TimeMs anchor) : state_(std::make_unique<IndexState>()) {
  state_->position.generation = std::move(generation);
  state_->anchor = anchor;
}

FeedIndex::~FeedIndex() = default;

void FeedIndex::ApplyChanges(std::span<const Change> changes) {
  InSlices(changes, [this](std::span<const Change> slice) { gate_.Write([&] { ApplyNew(state_.get(), slice); }); });
}

void FeedIndex::ApplyEvents(std::span<const LoggedEvent> events) {
  InSlices(events, [this](std::span<const LoggedEvent> slice) { gate_.Write([&] { ApplyNew(state_.get(), slice); }); });
}

void FeedIndex::ApplyState(std::span<const Change> rows) {
  gate_.Write([&] {
    for (const Change& row : rows) state_->Apply(row);
  });
}

void FeedIndex::ApplyForgotten(std::span<const ForgottenTotals> totals) {
  gate_.Write([&] {
    for (const ForgottenTotals& entry : totals) state_->Apply(entry);
  });
}

void FeedIndex::ApplyForgotten(std::span<const InteractionCount> interactions) {
  gate_.Write([&] {
    for (const InteractionCount& entry : interactions) state_->Apply(entry);
  });
}

void FeedIndex::MoveOn(std::int64_t changes, const EventPoints& events) {
  gate_.Write([&] {
    Position& position = state_->position;
    position.changes = std::max(position.changes, changes);
    position.events = Union(position.events, events);
  });
}

void FeedIndex::SetPosition(const Position& position) {
  if (position.generation != state_->position.generation) throw std::logic_error("position of another generation");
  gate_.Write([&] {
    state_->OrderFollowers();
    state_->position = position;
  });
}

void FeedIndex::AdvanceTo(TimeMs now) {
  gate_.Write([&] { state_->AdvanceTo(now, kTrimmedUsers); });
}

void FeedIndex::Rename(UserId from, UserId to) {
  gate_.Write([&] { state_->Rename(from, to); });
}

// What the writer has read of the log and not applied yet is skipped then, where `fresh` has it.
bool FeedIndex::TakeOver(FeedIndex* fresh) {
  bool taken = false;
  gate_.Write([&] {
    taken = Reached(state_->position, fresh->state_->position);
    if (taken) state_.swap(fresh->state_);
  });
  return taken;
}

Position FeedIndex::position() const {
  return Read([](const IndexState& state) { return state.position; });
}

TimeMs FeedIndex::anchor() const {
  return Read([](const IndexState& state) { return state.anchor; });
}

bool FeedIndex::KnowsUser(UserId user) const {
  return Read([user](const IndexState& state) {
    const UserSlot* slot = state.FindUser(user);
    return slot != nullptr && slot->known;
  });
}

UserCounts FeedIndex::CountsOf(UserId user) const {
  return Read([user](const IndexState& state) {
    const UserSlot* slot = state.FindUser(user);
    if (slot == nullptr) return UserCounts();
    return UserCounts{std::ssize(slot->followers), std::ssize(slot->following)};
  });
}

std::optional<IndexedPost> FeedIndex::FindPost(PostId post) const {
  return Read([post](const IndexState& state) -> std::optional<IndexedPost> {
    const PostSlot* slot = state.FindPost(post);
    if (slot == nullptr || !slot->known) return std::nullopt;
    return IndexedPost{slot->id,
                       state.users[slot->author].id,
                       slot->created_at,
                       slot->deleted,
                       {slot->likes, slot->comments, slot->shares, slot->impressions, slot->views}};
  });
}

std::vector<std::optional<PostContent>> FeedIndex::ContentOf(std::span<const PostId> posts) const {
  return Read([posts](const IndexState& state) {
    std::vector<std::optional<PostContent>> contents;
    contents.reserve(posts.size());
    for (const PostId& id : posts) {
      const PostSlot* slot = state.FindPost(id);
      if (slot == nullptr || !slot->live()) {
        contents.emplace_back();
        continue;
      }
      PostContent content{id, std::nullopt, std::string(slot->content.text()), static_cast<bool>(slot->content)};
      const std::string_view external_id = slot->content.external_id();
      if (!external_id.empty()) content.external_id = std::string(external_id);
      contents.push_back(std::move(content));
    }
    return contents;
  });
}

IndexSizes FeedIndex::Sizes() const {
  return ReadLong([](const IndexState& state) {
    IndexSizes sizes;
    sizes.users = state.users.size();
    sizes.posts = state.posts.size();
    sizes.follows = state.follow_count;
    for (const UserSlot& user : state.users) sizes.interactions += user.interactions.size();
    for (const auto& [hour, table] : state.hours) sizes.hour_entries += table.size();
    for (const PostSlot& post : state.posts) sizes.content_bytes += post.content.size();
    return sizes;
  });
}

}  // namespace novafeed
