#include "index/state.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace novafeed {
namespace {

int SignOf(ChangeOp op) {
  return op == ChangeOp::kDelete ? -1 : 1;
}

// Comments and likes never change once written; an update of such a row moves no number.
bool MovesNumbers(ChangeOp op) {
  return op != ChangeOp::kUpdate;
}

}  // namespace

PackedContent::PackedContent(std::string_view external_id, std::string_view text)
    : bytes_(new char[sizeof(Sizes) + external_id.size() + text.size()]) {
  const Sizes sizes{static_cast<std::uint32_t>(external_id.size()), static_cast<std::uint32_t>(text.size())};
  std::memcpy(bytes_.get(), &sizes, sizeof sizes);
  char* rest = bytes_.get() + sizeof sizes;
  std::copy(external_id.begin(), external_id.end(), rest);
  std::copy(text.begin(), text.end(), rest + external_id.size());
}

PackedContent::Sizes PackedContent::sizes() const {
  Sizes sizes{};
  if (bytes_) std::memcpy(&sizes, bytes_.get(), sizeof sizes);
  return sizes;
}

std::string_view PackedContent::external_id() const {
  if (!bytes_) return {};
  return {bytes_.get() + sizeof(Sizes), sizes().external_id};
}

std::string_view PackedContent::text() const {
  if (!bytes_) return {};
  const Sizes found = sizes();
  return {bytes_.get() + sizeof(Sizes) + found.external_id, found.text};
}

std::size_t PackedContent::size() const {
  const Sizes found = sizes();
  return bytes_ ? sizeof(Sizes) + found.external_id + found.text : 0;
}

// --- Looking up.

const UserSlot* IndexState::FindUser(UserId id) const {
  const auto found = user_refs.find(id);
  return found == user_refs.end() ? nullptr : &users[found->second];
}

const PostSlot* IndexState::FindPost(PostId id) const {
  const auto found = post_refs.find(id);
  return found == post_refs.end() ? nullptr : &posts[found->second];
}

bool IndexState::OlderThan(PostRef a, PostRef b) const {
  const PostSlot& first = posts[a];
  const PostSlot& second = posts[b];
  if (first.created_at != second.created_at) return first.created_at < second.created_at;
  return second.id < first.id;
}

UserRef IndexState::RefOf(UserId id) {
  const auto [entry, is_new] = user_refs.try_emplace(id, static_cast<UserRef>(users.size()));
  if (is_new) {
    users.emplace_back().id = id;
    popularity.Add();
  }
  return entry->second;
}

PostRef IndexState::RefOf(PostId id) {
  const auto [entry, is_new] = post_refs.try_emplace(id, static_cast<PostRef>(posts.size()));
  if (is_new) posts.emplace_back().id = id;
  return entry->second;
}

// --- Folding.

void IndexState::Apply(const Change& change) {
  const Row& row = change.Latest();
  if (std::holds_alternative<User>(row)) {
    ApplyUser(change);
  } else if (std::holds_alternative<Post>(row)) {
    ApplyPost(change);
  } else if (!MovesNumbers(change.op)) {
    return;
  } else if (const auto* follow = std::get_if<Follow>(&row)) {
    ApplyFollow(*follow, change.op);
  } else if (const auto* like = std::get_if<Like>(&row)) {
    Count(like->user, like->post, like->post_author, like->created_at, &PostSlot::likes, &HourCounts::likes, true,
          SignOf(change.op));
  } else if (const auto* comment = std::get_if<Comment>(&row)) {
    Count(comment->user, comment->post, comment->post_author, comment->created_at, &PostSlot::comments,
          &HourCounts::comments, true, SignOf(change.op));
  }
}

void IndexState::Apply(const LoggedEvent& logged) {
  const Event& event = logged.event;
  switch (event.type) {
    case EventType::kShare:
      Count(event.user, event.post, event.post_author, event.at, &PostSlot::shares, &HourCounts::shares, true, 1);
      break;
    case EventType::kImpression:
      Count(event.user, event.post, event.post_author, event.at, &PostSlot::impressions, &HourCounts::impressions,
            false, 1);
      break;
    case EventType::kView:
      ++posts[RefOf(event.post)].views;
      break;
    case EventType::kLike:
    case EventType::kUnlike:
      break;  // copies of what the change log says: counted there
  }
}

void IndexState::Apply(const ForgottenTotals& totals) {
  Apply(CountedPost{totals.post, 0, 0, totals.shares, totals.impressions, totals.views});
}

void IndexState::Apply(const CountedPost& counted) {
  PostSlot& post = posts[RefOf(counted.post)];
  post.likes += static_cast<std::uint32_t>(counted.likes);
  post.comments += static_cast<std::uint32_t>(counted.comments);
  post.shares += static_cast<std::uint32_t>(counted.shares);
  post.impressions += static_cast<std::uint32_t>(counted.impressions);
  post.views += static_cast<std::uint32_t>(counted.views);
}

void IndexState::Apply(const CountedHour& counted) {
  if (counted.hour >= OldestHour()) CountHour(counted.hour, RefOf(counted.post), counted.counts);
}

void IndexState::Apply(const InteractionCount& interactions) {
  if (interactions.day < OldestDay() || interactions.count == 0) return;
  const UserRef viewer = RefOf(interactions.user);
  const UserRef author = RefOf(interactions.author);
  AddInteractions(viewer,
                  {author, static_cast<std::int32_t>(interactions.day), static_cast<std::int32_t>(interactions.count)});
}

void IndexState::ApplyUser(const Change& change) {
  const auto& user = std::get<User>(change.Latest());
  users[RefOf(user.id)].known = change.op != ChangeOp::kDelete;
}

void IndexState::ApplyPost(const Change& change) {
  const auto& post = std::get<Post>(change.Latest());
  const PostRef ref = RefOf(post.id);
  const bool gone = change.op == ChangeOp::kDelete || post.deleted_at.has_value();
  if (gone) {
    HidePost(ref);
    PostSlot& slot = posts[ref];
    slot.known = true;
    slot.deleted = true;
    slot.author = RefOf(post.author);
    slot.created_at = post.created_at;
  } else {
    ShowPost(ref, post);
  }
}

void IndexState::ShowPost(PostRef ref, const Post& post) {
  const UserRef author = RefOf(post.author);
  PostSlot& slot = posts[ref];
  // Where the content is not held, an older one must not stay: the answer then reads it from the graph.
  slot.content = HoldsContentOf(post.created_at) ? PackedContent(post.external_id.value_or(std::string()), post.text)
                                                 : PackedContent();
  if (slot.live()) return;  // an edit: a post's author and time never change
  slot.known = true;
  slot.author = author;
  slot.created_at = post.created_at;
  InsertOrdered(&users[author].posts, ref);
  InsertOrdered(&posts_by_hour[HourOf(post.created_at)], ref);
}

void IndexState::HidePost(PostRef ref) {
  PostSlot& slot = posts[ref];
  slot.content = PackedContent();
  if (!slot.live()) return;
  EraseOrdered(&users[slot.author].posts, ref);
  const auto hour = posts_by_hour.find(HourOf(slot.created_at));
  EraseOrdered(&hour->second, ref);
  if (hour->second.empty()) posts_by_hour.erase(hour);
}

void IndexState::InsertOrdered(std::vector<PostRef>* list, PostRef ref) const {
  const auto older = [this](PostRef a, PostRef b) { return OlderThan(a, b); };
  list->insert(std::upper_bound(list->begin(), list->end(), ref, older), ref);
}

void IndexState::EraseOrdered(std::vector<PostRef>* list, PostRef ref) const {
  const auto older = [this](PostRef a, PostRef b) { return OlderThan(a, b); };
  list->erase(std::lower_bound(list->begin(), list->end(), ref, older));
}

// --- Follows.

void IndexState::ApplyFollow(const Follow& follow, ChangeOp op) {
  const UserRef follower = RefOf(follow.follower);
  const UserRef followee = RefOf(follow.followee);
  if (op == ChangeOp::kDelete) {
    RemoveFollow(follower, followee);
  } else {
    AddFollow(follower, followee, follow.created_at, op != ChangeOp::kRead);
  }
}

void IndexState::AddFollow(UserRef follower, UserRef followee, TimeMs at, bool in_order) {
  UserSlot& from = users[follower];
  const auto place = std::lower_bound(from.following.begin(), from.following.end(), followee);
  from.followed_at.insert(from.followed_at.begin() + (place - from.following.begin()), at);
  from.following.insert(place, followee);

  std::vector<UserRef>& followers = users[followee].followers;
  popularity.Raise(followee, static_cast<std::uint32_t>(followers.size()));
  const auto earlier = [&](UserRef a, UserRef b) { return FollowedEarlier(followee, a, b); };
  // What happens now is the latest: only what is dated earlier looks for its place.
  const bool is_latest = !in_order || followers.empty() || earlier(followers.back(), follower);
  followers.insert(
      is_latest ? followers.end() : std::upper_bound(followers.begin(), followers.end(), follower, earlier), follower);
  ++follow_count;
}

void IndexState::RemoveFollow(UserRef follower, UserRef followee) {
  std::vector<UserRef>& followers = users[followee].followers;
  popularity.Lower(followee, static_cast<std::uint32_t>(followers.size()));
  const auto earlier = [&](UserRef a, UserRef b) { return FollowedEarlier(followee, a, b); };
  followers.erase(std::lower_bound(followers.begin(), followers.end(), follower, earlier));

  UserSlot& from = users[follower];
  const auto place = std::lower_bound(from.following.begin(), from.following.end(), followee);
  from.followed_at.erase(from.followed_at.begin() + (place - from.following.begin()));
  from.following.erase(place);
  --follow_count;
}

TimeMs IndexState::FollowedAt(UserRef follower, UserRef followee) const {
  const UserSlot& from = users[follower];
  const auto place = std::lower_bound(from.following.begin(), from.following.end(), followee);
  return from.followed_at[static_cast<std::size_t>(place - from.following.begin())];
}

bool IndexState::FollowedEarlier(UserRef followee, UserRef a, UserRef b) const {
  const TimeMs at_a = FollowedAt(a, followee);
  const TimeMs at_b = FollowedAt(b, followee);
  return at_a != at_b ? at_a < at_b : users[b].id < users[a].id;
}

void IndexState::OrderFollowers() {
  struct Follower {
    TimeMs at = 0;
    UserRef ref = 0;
  };
  std::vector<Follower> dated;  // with their times beside them, which are looked up once and not in each comparison
  for (UserRef followee = 0; followee < users.size(); ++followee) {
    std::vector<UserRef>& followers = users[followee].followers;
    dated.clear();
    for (const UserRef ref : followers) dated.push_back({FollowedAt(ref, followee), ref});
    std::sort(dated.begin(), dated.end(), [this](const Follower& a, const Follower& b) {
      return a.at != b.at ? a.at < b.at : users[b.ref].id < users[a.ref].id;
    });
    std::transform(dated.begin(), dated.end(), followers.begin(), [](const Follower& one) { return one.ref; });
  }
}

std::span<const UserRef> IndexState::LatestFollowers(UserRef user, std::size_t limit) const {
  const std::vector<UserRef>& followers = users[user].followers;
  return std::span(followers).last(std::min(limit, followers.size()));
}

std::vector<UserRef> IndexState::LatestFollowing(UserRef user, std::size_t limit) const {
  const UserSlot& slot = users[user];
  if (slot.following.size() <= limit) return slot.following;
  std::vector<std::size_t> places(slot.following.size());
  std::iota(places.begin(), places.end(), 0);
  const auto later = [&](std::size_t a, std::size_t b) {
    if (slot.followed_at[a] != slot.followed_at[b]) return slot.followed_at[a] > slot.followed_at[b];
    return users[slot.following[a]].id < users[slot.following[b]].id;
  };
  std::nth_element(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(limit), places.end(), later);
  std::vector<UserRef> latest;
  latest.reserve(limit);
  for (std::size_t i = 0; i < limit; ++i) latest.push_back(slot.following[places[i]]);
  return latest;
}

bool IndexState::FollowedLater(UserRef user, UserRef a, UserRef b) const {
  const TimeMs at_a = FollowedAt(user, a);
  const TimeMs at_b = FollowedAt(user, b);
  return at_a != at_b ? at_a > at_b : users[a].id < users[b].id;
}

bool IndexState::Follows(UserRef follower, UserRef followee) const {
  return std::ranges::binary_search(users[follower].following, followee);
}

// --- Counters.

void IndexState::Count(UserId user, PostId post, UserId post_author, TimeMs at, std::uint32_t PostSlot::* total,
                       std::int32_t HourCounts::* hourly, bool is_interaction, int sign) {
  const PostRef ref = RefOf(post);
  posts[ref].*total += static_cast<std::uint32_t>(sign);
  const std::int64_t hour = HourOf(at);
  if (hour >= OldestHour()) {
    HourCounts counts;
    counts.*hourly = sign;
    CountHour(hour, ref, counts);
  }
  if (is_interaction && user != post_author) Apply(InteractionCount{user, post_author, DayOf(at), sign});
}

void IndexState::CountHour(std::int64_t hour, PostRef ref, const HourCounts& counts) {
  HourTable& table = hours[hour];
  HourCounts& sums = table[ref];
  sums.likes += counts.likes;
  sums.comments += counts.comments;
  sums.shares += counts.shares;
  sums.impressions += counts.impressions;
  if (sums.empty()) table.erase(ref);
  if (table.empty()) hours.erase(hour);
}

void IndexState::AddInteractions(UserRef viewer, const DayInteractions& added) {
  std::vector<DayInteractions>& given = users[viewer].interactions;
  const auto before = [](const DayInteractions& a, const DayInteractions& b) {
    return a.author != b.author ? a.author < b.author : a.day < b.day;
  };
  const auto place = std::lower_bound(given.begin(), given.end(), added, before);
  if (place == given.end() || place->author != added.author || place->day != added.day) {
    given.insert(place, added);
    return;
  }
  place->count += added.count;
  if (place->count == 0) given.erase(place);
}

// --- Erased users.

void IndexState::Rename(UserId from, UserId to) {
  const auto found = user_refs.find(from);
  if (found == user_refs.end()) return;
  const UserRef ref = found->second;
  user_refs.erase(found);
  const auto [entry, is_new] = user_refs.try_emplace(to, ref);
  if (is_new) {
    users[ref].id = to;
  } else {
    Merge(ref, entry->second);
  }
}

// The slot of `from` stays, of nobody: refs are not used again.
void IndexState::Merge(UserRef from, UserRef into) {
  for (PostSlot& post : posts) {
    if (post.author == from) post.author = into;
  }
  for (UserRef viewer = 0; viewer < users.size(); ++viewer) {
    std::vector<DayInteractions> moved;
    std::erase_if(users[viewer].interactions, [&](const DayInteractions& entry) {
      if (entry.author == from) moved.push_back({into, entry.day, entry.count});
      return entry.author == from;
    });
    for (const DayInteractions& entry : moved) AddInteractions(viewer, entry);
  }
  const UserSlot old = std::exchange(users[from], UserSlot());
  for (const DayInteractions& entry : old.interactions) AddInteractions(into, entry);
}

// --- Windows.

void IndexState::AdvanceTo(TimeMs now, std::size_t max_users) {
  anchor = std::max(anchor, now);
  DropOldHours();
  DropOldContent();
  DropOldInteractions(max_users);
}

void IndexState::DropOldHours() {
  while (!hours.empty() && hours.begin()->first < OldestHour()) hours.erase(hours.begin());
}

void IndexState::DropOldContent() {
  const std::int64_t first_kept = HourOf(anchor - kContentKept);
  auto hour = posts_by_hour.lower_bound(content_from_hour);
  for (; hour != posts_by_hour.end() && hour->first < first_kept; ++hour) {
    for (const PostRef ref : hour->second) posts[ref].content = PackedContent();
  }
  content_from_hour = std::max(content_from_hour, first_kept);
}

void IndexState::DropOldInteractions(std::size_t max_users) {
  const auto oldest = static_cast<std::int32_t>(OldestDay());
  for (std::size_t i = 0; i < std::min(max_users, users.size()); ++i) {
    if (trim_next_user >= users.size()) trim_next_user = 0;
    std::erase_if(users[trim_next_user++].interactions,
                  [oldest](const DayInteractions& entry) { return entry.day < oldest; });
  }
}

}  // namespace novafeed
