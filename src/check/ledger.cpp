#include "check/ledger.h"

#include <algorithm>

#include "check/siphash.h"

namespace novafeed {
namespace {

bool IsZero(const Values& values) {
  return std::all_of(values.begin(), values.end(), [](std::uint64_t value) { return value == 0; });
}

}  // namespace

std::size_t BucketOf(std::string_view key) {
  return SipHash64(key) >> kBucketShift;
}

void RelationSums::Add(std::string_view key, const Values& values, int sign) {
  std::uint64_t mixed = 0;
  for (std::size_t i = 0; i < kMaxValues; ++i) mixed += values[i] * kMultipliers[i];
  const std::uint64_t hash = SipHash64(key);
  BucketSum& sum = buckets_[hash >> kBucketShift];
  sum.checksum += hash * mixed * static_cast<std::uint64_t>(sign);
  sum.facts += sign;
}

void RelationSums::Add(std::size_t bucket, const BucketSum& sum) {
  buckets_.at(bucket).checksum += sum.checksum;
  buckets_.at(bucket).facts += sum.facts;
}

void RelationSums::AddAll(const RelationSums& sums) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) Add(bucket, sums.At(bucket));
}

std::int64_t RelationSums::Facts() const {
  std::int64_t facts = 0;
  for (const BucketSum& sum : buckets_) facts += sum.facts;
  return facts;
}

std::vector<std::uint16_t> DifferingBuckets(const RelationSums& expected, const RelationSums& found) {
  std::vector<std::uint16_t> differing;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    if (expected.At(bucket).checksum != found.At(bucket).checksum) {
      differing.push_back(static_cast<std::uint16_t>(bucket));
    }
  }
  return differing;
}

std::string_view DifferenceName(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kMissing:
      return "missing";
    case DifferenceKind::kExtra:
      return "extra";
    case DifferenceKind::kDifferent:
      return "different";
    case DifferenceKind::kAhead:
      break;
  }
  return "ahead";
}

std::string DescribeDifference(Relation relation, const Difference& difference) {
  const std::vector<std::string_view>& names = SpecOf(relation).values;
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "row" || difference.expected[i] == difference.found[i]) continue;
    if (!text.empty()) text += ", ";
    text += std::string(names[i]) + " " + std::to_string(static_cast<std::int64_t>(difference.found[i])) +
            " instead of " + std::to_string(static_cast<std::int64_t>(difference.expected[i]));
  }
  return text;
}

void RelationEntries::Add(std::string_view key, const Values& values, int sign) {
  auto entry = entries_.find(key);
  if (entry == entries_.end()) entry = entries_.emplace(std::string(key), Values{}).first;
  for (std::size_t i = 0; i < kMaxValues; ++i) entry->second[i] += values[i] * static_cast<std::uint64_t>(sign);
  if (IsZero(entry->second)) entries_.erase(entry);
}

std::vector<Difference> CompareEntries(const RelationEntries& expected, const RelationEntries& found) {
  std::vector<Difference> differences;
  auto left = expected.entries().begin();
  auto right = found.entries().begin();
  while (left != expected.entries().end() || right != found.entries().end()) {
    const bool only_left =
        right == found.entries().end() || (left != expected.entries().end() && left->first < right->first);
    const bool only_right = !only_left && (left == expected.entries().end() || right->first < left->first);
    if (only_left) {
      differences.push_back({DifferenceKind::kMissing, left->first, left->second, {}});
    } else if (only_right) {
      differences.push_back({DifferenceKind::kExtra, right->first, {}, right->second});
    } else if (left->second != right->second) {
      differences.push_back({DifferenceKind::kDifferent, left->first, left->second, right->second});
    }
    if (!only_right) ++left;
    if (!only_left) ++right;
  }
  return differences;
}

}  // namespace novafeed
