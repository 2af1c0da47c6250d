// What is compared: relations from keys to a few numbers, which the truth and a copy of it both have.
//
// A row of state is a key and the digest of the rest of its row; a counter is a key and its counts. Both add up, so
// both are compared in the same way (ledger.h): what a relation says is a sum of facts, in any order.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace novafeed {

// In the order in which they are compared and mended: what is mended first mends what stands on it.
enum class Relation : std::uint8_t {
  kUsers,  // users_cdc against the graph; so the four that follow
  kPosts,
  kComments,
  kLikes,
  kFollows,
  kEvents,        // events_raw against the event log
  kPostTotals,    // the sets of post_totals against graph and event log
  kPostHours,     // the sets of post_metrics_1h against a recount of likes_cdc, comments_cdc and events_raw
  kInteractions,  // the sets of user_author_90d against graph and event log
  kPostCounters,  // post_counters against post_totals
  kHourCounters,  // post_hour_counters against post_metrics_1h
  kFollowGraph,   // follow_graph against follows_cdc
  kUserFollows,   // user_follows against both
  kIndexUsers,    // the index against graph and event log; so all that follow
  kIndexPosts,
  kIndexFollows,
  kIndexHours,
  kIndexInteractions,
};
inline constexpr std::size_t kRelationCount = 18;
using RelationSet = std::bitset<kRelationCount>;

enum class KeyPart : std::uint8_t { kId, kTime, kHour, kDay, kText };

struct KeyColumn {
  std::string_view name;
  KeyPart part;
};

struct RelationSpec {
  std::string_view name;  // of the table; "index.…" for those of the index
  std::vector<KeyColumn> key;
  std::vector<std::string_view> values;  // "row": the digest of a row, which only says whether it differs
};

const RelationSpec& SpecOf(Relation relation);
constexpr std::size_t NumberOf(Relation relation) {
  return static_cast<std::size_t>(relation);
}

// From the one to the other, both included.
inline RelationSet RelationsFrom(Relation first, Relation last) {
  RelationSet relations;
  for (std::size_t i = NumberOf(first); i <= NumberOf(last); ++i) relations.set(i);
  return relations;
}

// The values of one key. Two's complement: differences and digests wrap.
inline constexpr std::size_t kMaxValues = 8;
using Values = std::array<std::uint64_t, kMaxValues>;

// The bytes of a key, as the SQL of the other side puts them together: ids in network order, times and numbers in eight
// bytes little-endian, a text last.
class FactKey {
 public:
  FactKey& Add(const Uuid& id);
  FactKey& Add(std::int64_t number);
  FactKey& Add(std::string_view text);
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  FactKey& Append(const void* data, std::size_t size);

  std::array<char, 80> bytes_;
  std::size_t size_ = 0;
};

// The values of a key's columns as text, in their order: how a person or a statement names it.
std::vector<std::string> KeyTexts(Relation relation, std::string_view key);
// "user_id=… post_id=…"
std::string DescribeKey(Relation relation, std::string_view key);

}  // namespace novafeed
