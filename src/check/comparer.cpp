#include "check/comparer.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "check/truth.h"

namespace novafeed {
namespace {

// Facts whose keys are held at a time: of up to 100 bytes, and an answer of the engine's may be 64 MiB.
constexpr std::int64_t kFactsAtOnce = 200'000;
// The engine answers, and cannot do what it was asked: a table or a column is not there.
constexpr std::string_view kOlapError = "olap_error";

const RelationSet& IndexRelations() {
  static const RelationSet kRelations = RelationsFrom(Relation::kIndexUsers, Relation::kIndexInteractions);
  return kRelations;
}

std::vector<Relation> Listed(RelationSet relations) {
  std::vector<Relation> listed;
  for (std::size_t i = 0; i < kRelationCount; ++i) {
    if (relations.test(i)) listed.push_back(static_cast<Relation>(i));
  }
  return listed;
}

class SumSink final : public FactSink {
 public:
  explicit SumSink(RelationSet relations) {
    for (const Relation relation : Listed(relations)) sums_[NumberOf(relation)].emplace();
  }
  void Take(Relation relation, std::string_view key, const Values& values, int sign) override {
    if (auto& sums = sums_[NumberOf(relation)]) sums->Add(key, values, sign);
  }
  RelationSums& At(Relation relation) { return sums_[NumberOf(relation)].value(); }

 private:
  std::array<std::optional<RelationSums>, kRelationCount> sums_;
};

// Takes what it is given back.
class TakeBackSink final : public FactSink {
 public:
  explicit TakeBackSink(FactSink* sink) : sink_(sink) {}
  void Take(Relation relation, std::string_view key, const Values& values, int sign) override {
    sink_->Take(relation, key, values, -sign);
  }

 private:
  FactSink* const sink_;
};

// Keeps the entries of some buckets of some relations.
class EntrySink final : public FactSink {
 public:
  explicit EntrySink(const std::map<Relation, std::vector<std::uint16_t>>& buckets) {
    for (const auto& [relation, wanted] : buckets) {
      auto& flags = wanted_[NumberOf(relation)];
      flags.assign(kBuckets, false);
      for (const std::uint16_t bucket : wanted) flags[bucket] = true;
    }
  }
  void Take(Relation relation, std::string_view key, const Values& values, int sign) override {
    const auto& flags = wanted_[NumberOf(relation)];
    if (!flags.empty() && flags[BucketOf(key)]) entries_[NumberOf(relation)].Add(key, values, sign);
  }
  RelationEntries& At(Relation relation) { return entries_[NumberOf(relation)]; }

 private:
  std::array<std::vector<bool>, kRelationCount> wanted_;
  std::array<RelationEntries, kRelationCount> entries_;
};

Status ReadSumsInto(WarehouseFacts* warehouse, Relation relation, WarehouseSide side, SumSink* sums) {
  Result<RelationSums> read = warehouse->ReadSums(relation, side);
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  sums->At(relation) = *std::move(read);
  return {};
}

}  // namespace

Comparer::Comparer(const ComparerSources& sources, const Position& warehouse_at, const WarehouseWindows& windows)
    : sources_(sources), warehouse_at_(warehouse_at), windows_(windows) {}

Result<std::vector<RelationReport>> Comparer::Compare(RelationSet relations, const TakeDifferences& take) {
  reports_.clear();
  sizes_.clear();
  for (const Relation relation : Listed(relations)) reports_[relation].relation = relation;
  const TakeDifferences note = [&](Relation relation, const std::vector<Difference>& differences) {
    for (const Difference& difference : differences) ReportOf(relation)->Add(difference);
    return differences.empty() ? Status() : take(relation, differences);
  };
  Result<Buckets> left = FindBuckets(relations);
  if (!left) return tl::unexpected<Error>(std::move(left.error()));
  while (!left->empty()) {
    Buckets part;
    for (auto entry = left->begin(); entry != left->end();) {
      auto& [relation, buckets] = *entry;
      std::int64_t facts = 0;
      std::size_t count = 0;
      while (count < buckets.size() && (count == 0 || facts < kFactsAtOnce / std::ssize(*left))) {
        facts += sizes_.at(relation)[buckets[count++]];
      }
      const auto end = buckets.begin() + static_cast<std::ptrdiff_t>(count);
      part[relation].assign(buckets.begin(), end);
      buckets.erase(buckets.begin(), end);
      entry = buckets.empty() ? left->erase(entry) : std::next(entry);
    }
    if (Status drilled = Drill(part, note); !drilled) return tl::unexpected<Error>(std::move(drilled.error()));
  }
  if (Status found = FindAhead(note); !found) return tl::unexpected<Error>(std::move(found.error()));
  std::vector<RelationReport> reports;
  reports.reserve(reports_.size());
  for (auto& [relation, report] : reports_) reports.push_back(std::move(report));
  return reports;
}

// The index is read before the truth, so that the truth can be turned back to it. What the log does not know any more
// comes from the warehouse (ReadCountsInto); here it is turned from the warehouse's position to that of the index.
Status Comparer::ReadTruthInto(RelationSet relations, FactSink* expected, FactSink* found) {
  const RelationSet of_index = relations & IndexRelations();
  RelationSet of_warehouse = relations & ~IndexRelations();
  RelationSet counted;
  for (const Relation relation : Listed(relations)) {
    if (IsExpectedByWarehouse(relation, windows_.events)) of_warehouse.reset(NumberOf(relation));
    if (IsCountedByWarehouse(relation, windows_.events)) counted.set(NumberOf(relation));
  }
  std::vector<TruthTarget> targets;
  std::optional<FactWriter> index_writer;
  std::optional<FactWriter> index_counts;
  std::optional<FactWriter> warehouse_counts;
  TakeBackSink taken_back(expected);
  if (of_index.any()) {
    const IndexReading reading = ReadIndexFacts(*sources_.index, found);
    index_at_ = reading.position;
    index_windows_ = reading.windows;
    FactWindows truth = reading.windows;
    RelationSet of_truth = of_index;
    if (counted.any()) {
      truth.event_totals = false;
      of_truth &= ~counted;
      of_truth |= of_index & RelationSet().set(NumberOf(Relation::kIndexPosts));
      FactWindows rest = reading.windows;
      rest.state_totals = false;
      index_counts.emplace(counted, rest, expected);
      warehouse_counts.emplace(counted, rest, &taken_back);
      targets.push_back({reading.position, &*index_counts});
      targets.push_back({warehouse_at_, &*warehouse_counts});
    }
    index_writer.emplace(of_truth, truth, expected);
    targets.push_back({reading.position, &*index_writer});
  }
  FactWindows windows;
  windows.events_from = windows_.events_from;
  windows.day_from = DayOf(windows_.days_from);
  windows.event_totals = windows_.events.totals;
  FactWriter warehouse_writer(of_warehouse, windows, expected);
  if (of_warehouse.any()) targets.push_back({warehouse_at_, &warehouse_writer});
  if (targets.empty()) return {};
  return ReadTruth(sources_.changes, sources_.events, targets, sources_.tick);
}

Result<Comparer::Buckets> Comparer::FindBuckets(RelationSet relations) {
  SumSink expected(relations);
  SumSink found(relations);
  if (Status read = ReadTruthInto(relations, &expected, &found); !read) {
    return tl::unexpected<Error>(std::move(read.error()));
  }
  for (const Relation relation : Listed(relations & ~IndexRelations())) {
    Status read = ReadSumsInto(sources_.warehouse, relation, WarehouseSide::kFound, &found);
    if (read && IsExpectedByWarehouse(relation, windows_.events))
      read = ReadSumsInto(sources_.warehouse, relation, WarehouseSide::kExpected, &expected);
    if (Status noted = NoteFailure(relation, read); !noted) return tl::unexpected<Error>(std::move(noted.error()));
  }
  for (const Relation relation : Listed(relations)) {
    if (!IsCountedByWarehouse(relation, windows_.events)) continue;
    const Result<RelationSums> counts = sources_.warehouse->ReadIndexSums(relation, index_windows_);
    if (counts) expected.At(relation).AddAll(*counts);
    const Status read = counts ? Status() : tl::unexpected<Error>(counts.error());
    if (Status noted = NoteFailure(relation, read); !noted) return tl::unexpected<Error>(std::move(noted.error()));
  }
  Buckets differing;
  for (const Relation relation : Listed(relations)) {
    RelationReport* report = ReportOf(relation);
    report->compared = found.At(relation).Facts();
    if (!report->failure.empty()) continue;
    std::vector<std::uint16_t> buckets = DifferingBuckets(expected.At(relation), found.At(relation));
    if (buckets.empty()) continue;
    std::vector<std::int64_t>& sizes = sizes_[relation];
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      sizes.push_back(std::max(expected.At(relation).At(bucket).facts, found.At(relation).At(bucket).facts));
    }
    differing.emplace(relation, std::move(buckets));
  }
  return differing;
}

Status Comparer::Drill(const Buckets& part, const TakeDifferences& take) {
  RelationSet relations;
  for (const auto& [relation, buckets] : part) relations.set(NumberOf(relation));
  EntrySink expected(part);
  EntrySink found(part);
  if (Status read = ReadTruthInto(relations, &expected, &found); !read) return read;
  for (const auto& [relation, buckets] : part) {
    if (!IndexRelations().test(NumberOf(relation))) {
      Result<RelationEntries> entries = sources_.warehouse->ReadEntries(relation, WarehouseSide::kFound, buckets);
      if (!entries) return tl::unexpected<Error>(std::move(entries.error()));
      found.At(relation) = *std::move(entries);
    }
    if (IsCountedByWarehouse(relation, windows_.events)) {
      const Result<RelationEntries> counts = sources_.warehouse->ReadIndexEntries(relation, index_windows_, buckets);
      if (!counts) return tl::unexpected<Error>(counts.error());
      for (const auto& [key, values] : counts->entries()) expected.At(relation).Add(key, values, 1);
    }
    if (IsExpectedByWarehouse(relation, windows_.events)) {
      Result<RelationEntries> entries = sources_.warehouse->ReadEntries(relation, WarehouseSide::kExpected, buckets);
      if (!entries) return tl::unexpected<Error>(std::move(entries.error()));
      expected.At(relation) = *std::move(entries);
    }
    const std::vector<Difference> differences = CompareEntries(expected.At(relation), found.At(relation));
    if (Status taken = take(relation, differences); !taken) return taken;
  }
  return {};
}

// What the engine cannot tell about is a failure of that relation alone.
Status Comparer::NoteFailure(Relation relation, const Status& read) {
  if (read) return {};
  if (read.error().code != kOlapError) return read;
  ReportOf(relation)->failure = read.error().detail;
  return {};
}

Status Comparer::FindAhead(const TakeDifferences& take) {
  for (auto& [relation, report] : reports_) {
    if (!report.failure.empty() || IndexRelations().test(NumberOf(relation))) continue;
    const Result<std::vector<Difference>> ahead = sources_.warehouse->ReadAhead(relation, warehouse_at_.changes);
    if (!ahead) return tl::unexpected<Error>(ahead.error());
    if (Status taken = take(relation, *ahead); !taken) return taken;
  }
  return {};
}

RelationReport* Comparer::ReportOf(Relation relation) {
  return &reports_.at(relation);
}

}  // namespace novafeed
