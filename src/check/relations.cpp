#include "check/relations.h"

#include <cstring>
#include <stdexcept>

namespace novafeed {
namespace {

using enum KeyPart;

const std::array<RelationSpec, kRelationCount>& Specs() {
  static const std::vector<KeyColumn> kById = {{"id", kId}};
  static const std::vector<KeyColumn> kByFollow = {{"follower_id", kId}, {"following_id", kId}};
  static const std::vector<KeyColumn> kByPost = {{"author_id", kId}, {"created_at", kTime}, {"post_id", kId}};
  static const std::vector<KeyColumn> kByHour = {{"post_id", kId}, {"metric_hour", kHour}};
  static const std::vector<KeyColumn> kByDay = {{"user_id", kId}, {"author_id", kId}, {"day", kDay}};
  static const std::vector<std::string_view> kRow = {"row"};
  static const std::vector<std::string_view> kTotals = {"likes", "comments", "shares", "impressions",
                                                        "views", "live",     "deleted"};
  static const std::vector<std::string_view> kHourly = {"likes", "comments", "shares", "impressions", "views"};
  static const std::array<RelationSpec, kRelationCount> kSpecs = {{
      {"users_cdc", kById, kRow},
      {"posts_cdc", kById, kRow},
      {"comments_cdc", kById, kRow},
      {"likes_cdc", {{"user_id", kId}, {"post_id", kId}}, kRow},
      {"follows_cdc", kByFollow, kRow},
      {"events_raw",
       {{"user_id", kId}, {"post_id", kId}, {"event_id", kId}, {"created_at", kTime}, {"type", kText}},
       kRow},
      {"post_totals", kByPost, kTotals},
      {"post_metrics_1h", kByHour, kHourly},
      {"user_author_90d", kByDay, {"interactions"}},
      {"post_counters", kByPost, kTotals},
      {"post_hour_counters", kByHour, kHourly},
      {"follow_graph", {{"following_id", kId}, {"follower_id", kId}}, kRow},
      {"user_follows", {{"user_id", kId}}, {"followers", "following", "latest_followers", "latest_following"}},
      {"index.users", kById, {"known"}},
      {"index.posts", kById, {"likes", "comments", "shares", "impressions", "views", "live", "deleted", "row"}},
      {"index.follows", kByFollow, {"follows", "created_at"}},
      {"index.hours", kByHour, {"likes", "comments", "shares", "impressions"}},
      {"index.interactions", kByDay, {"interactions"}},
  }};
  return kSpecs;
}

std::int64_t NumberAt(std::string_view key) {
  std::int64_t number = 0;
  std::memcpy(&number, key.data(), sizeof number);
  return number;
}

std::size_t SizeOf(KeyPart part, std::string_view rest) {
  if (part == kText) return rest.size();
  return part == kId ? 16 : 8;
}

std::string TextOf(KeyPart part, std::string_view bytes) {
  switch (part) {
    case kId: {
      Uuid id;
      std::memcpy(id.bytes.data(), bytes.data(), 16);
      return id.ToString();
    }
    case kTime:
      return FormatRfc3339(NumberAt(bytes));
    case kHour:
      return FormatRfc3339(NumberAt(bytes) * kMsPerHour);
    case kDay:
      return FormatRfc3339(NumberAt(bytes) * kMsPerDay).substr(0, 10);
    case kText:
      break;
  }
  return std::string(bytes);
}

}  // namespace

const RelationSpec& SpecOf(Relation relation) {
  return Specs().at(NumberOf(relation));
}

FactKey& FactKey::Append(const void* data, std::size_t size) {
  if (size > bytes_.size() - size_) throw std::logic_error("A key of a relation is longer than any should be.");
  std::memcpy(bytes_.data() + size_, data, size);
  size_ += size;
  return *this;
}

FactKey& FactKey::Add(const Uuid& id) {
  return Append(id.bytes.data(), id.bytes.size());
}

FactKey& FactKey::Add(std::int64_t number) {
  return Append(&number, sizeof number);
}

FactKey& FactKey::Add(std::string_view text) {
  return Append(text.data(), text.size());
}

std::vector<std::string> KeyTexts(Relation relation, std::string_view key) {
  std::vector<std::string> texts;
  for (const KeyColumn& column : SpecOf(relation).key) {
    const std::size_t size = SizeOf(column.part, key);
    if (size > key.size()) throw std::out_of_range("A key is cut.");
    texts.push_back(TextOf(column.part, key.substr(0, size)));
    key.remove_prefix(size);
  }
  return texts;
}

std::string DescribeKey(Relation relation, std::string_view key) {
  const std::vector<KeyColumn>& columns = SpecOf(relation).key;
  const std::vector<std::string> texts = KeyTexts(relation, key);
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) text += " ";
    text += std::string(columns[i].name) + "=" + texts[i];
  }
  return text;
}

}  // namespace novafeed
