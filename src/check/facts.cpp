#include "check/facts.h"

#include <string>

#include "check/siphash.h"

namespace novafeed {
namespace {

// The columns of kPostTotals, kIndexPosts; the first four are those of kIndexHours.
constexpr std::size_t kLikes = 0;
constexpr std::size_t kComments = 1;
constexpr std::size_t kShares = 2;
constexpr std::size_t kImpressions = 3;
constexpr std::size_t kViews = 4;
constexpr std::size_t kLive = 5;
constexpr std::size_t kDeleted = 6;
constexpr std::size_t kIndexedRow = 7;

Values One(std::size_t column) {
  Values values{};
  values[column] = 1;
  return values;
}

// The bytes of a row's other columns: texts with their length before them, what may be absent with a byte before it.
class RowBytes {
 public:
  template <class Tag>
  RowBytes& Id(const StrongId<Tag>& id) {
    bytes_.append(reinterpret_cast<const char*>(id.value.bytes.data()), id.value.bytes.size());
    return *this;
  }
  RowBytes& FirstHalf(const Uuid& id) {
    bytes_.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size() / 2);
    return *this;
  }
  RowBytes& Number(std::int64_t number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  RowBytes& Text(std::string_view text) {
    Number(static_cast<std::int64_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  RowBytes& OptionalText(const std::optional<std::string>& text) {
    bytes_.push_back(text ? '\1' : '\0');
    return text ? Text(*text) : *this;
  }
  RowBytes& OptionalNumber(std::optional<std::int64_t> number) {
    bytes_.push_back(number ? '\1' : '\0');
    return number ? Number(*number) : *this;
  }
  std::uint64_t Digest() const { return SipHash64(bytes_); }

 private:
  std::string bytes_;
};

FactKey KeyOf(const Uuid& id) {
  return FactKey().Add(id);
}
FactKey KeyOf(const Uuid& first, const Uuid& second) {
  return FactKey().Add(first).Add(second);
}

}  // namespace

std::uint64_t DigestOf(const User& user) {
  return RowBytes().OptionalText(user.external_id).Text(user.handle).Text(user.name).Number(user.created_at).Digest();
}

std::uint64_t DigestOf(const Post& post) {
  return RowBytes()
      .OptionalText(post.external_id)
      .Id(post.author)
      .Text(post.text)
      .Number(post.created_at)
      .OptionalNumber(post.deleted_at)
      .Digest();
}

std::uint64_t DigestOf(const Comment& comment) {
  return RowBytes()
      .OptionalText(comment.external_id)
      .Id(comment.post)
      .Id(comment.user)
      .Id(comment.post_author)
      .Number(comment.post_created_at)
      .Text(comment.text)
      .Number(comment.created_at)
      .Number(comment.incarnation)
      .Digest();
}

std::uint64_t DigestOf(const Like& like) {
  return RowBytes()
      .Id(like.post_author)
      .Number(like.post_created_at)
      .Number(like.created_at)
      .Number(like.incarnation)
      .Digest();
}

std::uint64_t DigestOf(const Follow& follow) {
  return RowBytes().Number(follow.created_at).Number(follow.incarnation).Digest();
}

std::uint64_t DigestOf(const LoggedEvent& logged) {
  const Event& event = logged.event;
  // The warehouse keeps the first half of the identity, by which the event counts once.
  return RowBytes().Id(event.post_author).Number(event.post_created_at).FirstHalf(logged.Identity()).Digest();
}

std::uint64_t DigestOfIndexed(UserId author, TimeMs created_at) {
  return RowBytes().Id(author).Number(created_at).Digest();
}

std::uint64_t DigestOfContent(std::string_view external_id, std::string_view text) {
  return RowBytes().Text(external_id).Text(text).Digest();
}

FactKey KeyOfEvent(const Event& event) {
  return FactKey()
      .Add(event.user.value)
      .Add(event.post.value)
      .Add(event.event_id.value)
      .Add(event.at)
      .Add(EventTypeName(event.type));
}

FactKey KeyOfRow(const Row& row) {
  struct Visitor {
    FactKey operator()(const User& user) const { return KeyOf(user.id.value); }
    FactKey operator()(const Post& post) const { return KeyOf(post.id.value); }
    FactKey operator()(const Comment& comment) const { return KeyOf(comment.id.value); }
    FactKey operator()(const Like& like) const { return KeyOf(like.user.value, like.post.value); }
    FactKey operator()(const Follow& follow) const { return KeyOf(follow.follower.value, follow.followee.value); }
  };
  return std::visit(Visitor{}, row);
}

Relation RelationOf(const Row& row) {
  static constexpr Relation kRelations[] = {Relation::kUsers, Relation::kPosts, Relation::kComments, Relation::kLikes,
                                            Relation::kFollows};
  return kRelations[row.index()];
}

bool IsEventTotal(Relation relation, std::size_t column) {
  const bool has_totals = relation == Relation::kPostTotals || relation == Relation::kIndexPosts;
  return has_totals && column >= kShares && column <= kViews;
}

Values WithoutEventTotals(Relation relation, Values values) {
  for (std::size_t column = 0; column < values.size(); ++column) {
    if (IsEventTotal(relation, column)) values[column] = 0;
  }
  return values;
}

void FactWriter::Give(Relation relation, const FactKey& key, const Values& values, int sign) {
  sink_->Take(relation, key.bytes(), values, sign);
}

void FactWriter::AddRow(const Row& row, int sign) {
  std::visit([&](const auto& typed) { Add(typed, sign); }, row);
  if (const Relation relation = RelationOf(row); Wants(relation)) {
    const std::uint64_t digest = std::visit([](const auto& typed) { return DigestOf(typed); }, row);
    Give(relation, KeyOfRow(row), Values{digest}, sign);
  }
}

void FactWriter::Add(const User& user, int sign) {
  if (Wants(Relation::kIndexUsers)) Give(Relation::kIndexUsers, KeyOf(user.id.value), One(0), sign);
}

void FactWriter::Add(const Post& post, int sign) {
  Values state = One(post.deleted_at ? kDeleted : kLive);
  if (Wants(Relation::kPostTotals)) {
    const FactKey key = FactKey().Add(post.author.value).Add(post.created_at).Add(post.id.value);
    Give(Relation::kPostTotals, key, state, sign);
  }
  if (!Wants(Relation::kIndexPosts) || !windows_.state_totals) return;
  state[kIndexedRow] = DigestOfIndexed(post.author, post.created_at);
  if (!post.deleted_at && post.created_at > windows_.content_from) {
    state[kIndexedRow] += DigestOfContent(post.external_id.value_or(std::string()), post.text);
  }
  Give(Relation::kIndexPosts, KeyOf(post.id.value), state, sign);
}

void FactWriter::Add(const Comment& comment, int sign) {
  Count({comment.user, comment.post, comment.post_author, comment.post_created_at, comment.created_at, kComments},
        sign);
}

void FactWriter::Add(const Like& like, int sign) {
  Count({like.user, like.post, like.post_author, like.post_created_at, like.created_at, kLikes}, sign);
}

void FactWriter::Add(const Follow& follow, int sign) {
  if (Wants(Relation::kIndexFollows)) {
    Values values = One(0);
    values[1] = static_cast<std::uint64_t>(follow.created_at);
    Give(Relation::kIndexFollows, KeyOf(follow.follower.value, follow.followee.value), values, sign);
  }
}

void FactWriter::AddEvent(const LoggedEvent& logged) {
  const Event& event = logged.event;
  if (Wants(Relation::kEvents) && event.at >= windows_.events_from) {
    Give(Relation::kEvents, KeyOfEvent(event), Values{DigestOf(logged)}, 1);
  }
  const auto count = [&](std::size_t column) {
    Count({event.user, event.post, event.post_author, event.post_created_at, event.at, column}, 1);
  };
  switch (event.type) {
    case EventType::kShare:
      return count(kShares);
    case EventType::kImpression:
      return count(kImpressions);
    case EventType::kView:
      return count(kViews);
    case EventType::kLike:
    case EventType::kUnlike:
      break;  // copies of what the graph says
  }
}

void FactWriter::AddForgotten(const ForgottenTotals& totals) {
  Values counts{};
  counts[kShares] = static_cast<std::uint64_t>(totals.shares);
  counts[kImpressions] = static_cast<std::uint64_t>(totals.impressions);
  counts[kViews] = static_cast<std::uint64_t>(totals.views);
  CountTotal(totals, counts, 1);
}

void FactWriter::AddForgotten(const InteractionCount& interactions) {
  CountInteraction(interactions.user, interactions.author, interactions.day, interactions.count, 1);
}

void FactWriter::Count(const Action& action, int sign) {
  ForgottenTotals post;
  post.post = action.post;
  post.post_author = action.post_author;
  post.post_created_at = action.post_created_at;
  const bool is_of_events = IsEventTotal(Relation::kPostTotals, action.column);
  if (is_of_events ? windows_.event_totals : windows_.state_totals) {
    CountTotal(post, One(action.column), sign);
  }
  const std::int64_t hour = HourOf(action.at);
  if (Wants(Relation::kIndexHours) && action.column != kViews && hour >= windows_.hour_from) {
    Give(Relation::kIndexHours, FactKey().Add(action.post.value).Add(hour), One(action.column), sign);
  }
  const bool is_interaction = action.column != kViews && action.column != kImpressions;
  if (is_interaction && action.user != action.post_author) {
    CountInteraction(action.user, action.post_author, DayOf(action.at), 1, sign);
  }
}

void FactWriter::CountTotal(const ForgottenTotals& post, const Values& counts, int sign) {
  if (Wants(Relation::kPostTotals)) {
    const FactKey key = FactKey().Add(post.post_author.value).Add(post.post_created_at).Add(post.post.value);
    Give(Relation::kPostTotals, key, counts, sign);
  }
  if (Wants(Relation::kIndexPosts)) Give(Relation::kIndexPosts, KeyOf(post.post.value), counts, sign);
}

void FactWriter::CountInteraction(UserId user, UserId author, std::int64_t day, std::int64_t count, int sign) {
  if (day < windows_.day_from) return;
  for (const Relation relation : {Relation::kInteractions, Relation::kIndexInteractions}) {
    if (!Wants(relation)) continue;
    Values values{};
    values[0] = static_cast<std::uint64_t>(count);
    Give(relation, FactKey().Add(user.value).Add(author.value).Add(day), values, sign);
  }
}

}  // namespace novafeed
