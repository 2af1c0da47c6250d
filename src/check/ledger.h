// How two sides of a relation are compared: first by sums over buckets, then key by key where the sums differ. Pure.
//
// The checksum of a bucket is the sum over its keys of hash(key) * (m1*value1 + m2*value2 + ...) modulo 2^64. It does
// not depend on an order, and it is linear: facts add up whatever they are cut into, and one that is taken back is a
// fact with negated values. So counts of millions of events are compared without holding a counter for any of them, and
// a state read too late is turned back to an earlier position by the changes in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "check/relations.h"

namespace novafeed {

inline constexpr std::size_t kBuckets = 4096;  // by the highest bits of the key's hash
inline constexpr unsigned kBucketShift = 52;

// What the values of a fact are multiplied by, so that a move from one column to another shows.
inline constexpr Values kMultipliers = {0x9e3779b97f4a7c15ULL, 0xbf58476d1ce4e5b9ULL, 0x94d049bb133111ebULL,
                                        0xd6e8feb86659fd93ULL, 0xa0761d6478bd642fULL, 0xe7037ed1a0b428dbULL,
                                        0x8ebc6af09c88c6e3ULL, 0x589965cc75374cc3ULL};

// Who is given facts. `sign` is 1, or -1 for one that is taken back.
class FactSink {
 public:
  virtual ~FactSink() = default;
  virtual void Take(Relation relation, std::string_view key, const Values& values, int sign) = 0;
};

struct BucketSum {
  std::uint64_t checksum = 0;
  std::int64_t facts = 0;  // taken in, less those taken back
};

// One relation of one side.
class RelationSums {
 public:
  RelationSums() : buckets_(kBuckets) {}

  void Add(std::string_view key, const Values& values, int sign);
  void Add(std::size_t bucket, const BucketSum& sum);
  void AddAll(const RelationSums& sums);
  const BucketSum& At(std::size_t bucket) const { return buckets_.at(bucket); }
  std::int64_t Facts() const;

 private:
  std::vector<BucketSum> buckets_;
};

// The buckets whose checksums differ, ascending.
std::vector<std::uint16_t> DifferingBuckets(const RelationSums& expected, const RelationSums& found);

enum class DifferenceKind : std::uint8_t { kMissing, kExtra, kDifferent, kAhead };
std::string_view DifferenceName(DifferenceKind kind);  // "missing", "extra", "different", "ahead"

struct Difference {
  DifferenceKind kind = DifferenceKind::kMissing;
  std::string key;
  Values expected{};
  Values found{};
};

// "likes 3 instead of 2"; empty where only the row's digest differs.
std::string DescribeDifference(Relation relation, const Difference& difference);

// The keys of some buckets with their values, one side of one relation. A key whose values are all 0 is not there.
class RelationEntries {
 public:
  void Add(std::string_view key, const Values& values, int sign);
  const std::map<std::string, Values, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, Values, std::less<>> entries_;
};

// In the order of their keys.
std::vector<Difference> CompareEntries(const RelationEntries& expected, const RelationEntries& found);

// The bucket that a key falls into.
std::size_t BucketOf(std::string_view key);

}  // namespace novafeed
