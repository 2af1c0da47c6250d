#include "check/checker.h"

#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <utility>

#include "check/comparer.h"
#include "check/mender.h"
#include "check/schema_check.h"
#include "check/truth.h"
#include "check/warehouse_facts.h"
#include "graph/store.h"

namespace novafeed {
namespace {

constexpr int kTries = 3;
constexpr std::string_view kCountBroken = "SELECT count() FROM novafeed.ingest_errors";
const OlapCall kShortCall{std::chrono::seconds(30)};

const TakeDifferences kOnlyCount = [](Relation, const std::vector<Difference>&) { return Status(); };

// What does not stand on each other, and so is mended in one pass over the truth; in this order. (By kIndexPosts the
// warehouse is mended, where the log does not know all events any more.)
constexpr std::pair<Relation, Relation> kMendedTogether[] = {
    {Relation::kUsers, Relation::kEvents},
    {Relation::kPostTotals, Relation::kInteractions},
    {Relation::kIndexPosts, Relation::kIndexPosts},
    {Relation::kPostCounters, Relation::kFollowGraph},
    {Relation::kUserFollows, Relation::kUserFollows},
};

// A consistent cut of the warehouse at the log's end, for as long as this lives.
class HeldWarehouse {
 public:
  static Result<HeldWarehouse> At(const CheckSubjects& subjects, std::chrono::milliseconds wait) {
    const Position end{subjects.generation, subjects.changes->End(), subjects.events->End()};
    if (!Await(subjects.sink, end, wait.count())) return tl::unexpected<Error>(Behind(*subjects.sink, end));
    Result<WarehousePause> held = WarehousePause::Take(subjects.sink, wait);
    if (!held) return tl::unexpected<Error>(held.error());
    // An engine that came back with less is behind what it had reached once.
    if (!Reached(end, held->position())) return tl::unexpected<Error>(Behind(*subjects.sink, end));
    return HeldWarehouse(*std::move(held), end);
  }

  const Position& position() const { return pause_.position(); }
  const Position& end() const { return end_; }
  Status StillHeld() const { return pause_.StillHeld(); }

 private:
  HeldWarehouse(WarehousePause pause, Position end) : pause_(std::move(pause)), end_(std::move(end)) {}

  static Error Behind(const WarehouseFiller& sink, const Position& end) {
    const SinkStatus status = sink.status();
    if (status.phase == SinkPhase::kRefused) return Error{Failure::kConflict, "warehouse_refused", status.reason, 0};
    return Error{Failure::kConflict, "warehouse_behind",
                 "The warehouse is " + std::string(SinkPhaseName(status.phase)) + " at change " +
                     std::to_string(status.applied.changes) + " of " + std::to_string(end.changes) + " and event " +
                     std::to_string(status.applied.events.Total()) + " of " + std::to_string(end.events.Total()) +
                     (status.reason.empty() ? ": try again later." : ": " + status.reason),
                 0};
  }

  WarehousePause pause_;
  Position end_;
};

class Check {
 public:
  Check(const CheckSubjects& subjects, const CheckOptions& options, const CheckProgress& progress)
      : subjects_(subjects), options_(options), progress_(progress) {}

  Result<CheckOutcome> Run() {
    CheckOutcome outcome;
    {
      const Result<HeldWarehouse> held = Hold();
      if (!held) return tl::unexpected<Error>(held.error());
      Result<CheckReport> report = Compare(*held);
      if (!report) return tl::unexpected<Error>(std::move(report.error()));
      outcome.report = *std::move(report);
      if (!options_.repair || outcome.report.Agrees()) return outcome;
      if (Status mended = Mend(*held, outcome.report, &outcome.mended); !mended) {
        return tl::unexpected<Error>(std::move(mended.error()));
      }
    }
    const Result<HeldWarehouse> held = Hold();
    if (!held) return tl::unexpected<Error>(held.error());
    Result<CheckReport> after = Compare(*held);
    if (!after) return tl::unexpected<Error>(std::move(after.error()));
    outcome.after.push_back(*std::move(after));
    return outcome;
  }

 private:
  Result<HeldWarehouse> Hold() {
    progress_("the warehouse goes to the log's end");
    return HeldWarehouse::At(subjects_, options_.wait);
  }

  Result<CheckReport> Compare(const HeldWarehouse& held) {
    CheckReport report;
    report.end = held.end();
    report.warehouse = held.position();
    if (const HeldEvents events = HeldBy(subjects_.events); !events.totals) report.events_from = events.from;
    progress_("comparing the schema");
    Result<std::vector<SchemaDifference>> schema = CompareSchema(subjects_.olap);
    if (!schema) return tl::unexpected<Error>(std::move(schema.error()));
    report.schema = *std::move(schema);
    progress_("comparing rows, counters and the index");
    RelationSet all;
    all.set();
    Result<std::vector<RelationReport>> relations = CompareRelations(held, all, kOnlyCount, &report.index);
    if (!relations) return tl::unexpected<Error>(std::move(relations.error()));
    report.relations = *std::move(relations);
    Result<OlapRows> broken = subjects_.olap->Query(kCountBroken, {}, kShortCall);
    if (broken) report.broken_messages = static_cast<std::int64_t>(broken->UInt64());
    if (Status still = held.StillHeld(); !still) return tl::unexpected<Error>(std::move(still.error()));
    return report;
  }

  // Begins again where the log forgot while it was read.
  Result<std::vector<RelationReport>> CompareRelations(const HeldWarehouse& held, RelationSet relations,
                                                       const TakeDifferences& take, Position* index_at) {
    for (int tries = 1;; ++tries) try {
        WarehouseFacts facts(subjects_.olap);
        const WarehouseWindows windows = WindowsAt(subjects_.clock->Now(), HeldBy(subjects_.events));
        if (Status open = facts.Open(windows); !open) return tl::unexpected<Error>(std::move(open.error()));
        Comparer comparer({subjects_.changes, subjects_.events, &facts, subjects_.index, options_.tick},
                          held.position(), windows);
        const TakeDifferences take_with = [&](Relation relation, const std::vector<Difference>& differences) {
          mending_with_ = &facts;
          return take(relation, differences);
        };
        Result<std::vector<RelationReport>> reports = comparer.Compare(relations, take_with);
        if (reports && index_at != nullptr) *index_at = comparer.index_position();
        return reports;
      } catch (const StoreError& error) {
        if (tries == kTries || error.error().code != "log_forgotten") throw;
        first_kept_.reset();
      }
  }

  void RequireAlone(const HeldWarehouse& held) const {
    options_.tick();
    if (const Status still = held.StillHeld(); !still) throw StoreError(still.error());
  }

  Status Mend(const HeldWarehouse& held, const CheckReport& report, std::vector<std::string>* mended) {
    RequireAlone(held);
    if (Status done = MendObjects(report.schema, mended); !done) return done;
    const bool by_index = IsCountedByWarehouse(Relation::kIndexPosts, HeldBy(subjects_.events));
    for (const auto& [first, last] : kMendedTogether) {
      if (first == Relation::kIndexPosts && !by_index) continue;
      if (Status done = MendRelations(held, RelationsFrom(first, last), mended); !done) return done;
    }
    return MendIndex(report, mended);
  }

  // What the schema does not know is left alone, and so not counted.
  Status MendObjects(const std::vector<SchemaDifference>& schema, std::vector<std::string>* mended) {
    const auto is_ours = [](const SchemaDifference& difference) { return difference.kind != DifferenceKind::kExtra; };
    const auto count = std::count_if(schema.begin(), schema.end(), is_ours);
    if (count == 0) return {};
    progress_("mending the schema");
    if (Status done = MendSchema(subjects_.olap, schema); !done) return done;
    mended->push_back("made " + std::to_string(count) + (count == 1 ? " object" : " objects") + " of the schema anew");
    return {};
  }

  Status MendRelations(const HeldWarehouse& held, RelationSet relations, std::vector<std::string>* mended) {
    std::map<Relation, std::size_t> counts;
    const TakeDifferences mend = [&](Relation relation, const std::vector<Difference>& differences) {
      progress_("mending " + std::string(SpecOf(relation).name));
      if (relation < Relation::kIndexUsers) counts[relation] += differences.size();
      Mender mender(subjects_.olap, mending_with_, subjects_.changes, subjects_.events, held.position(), &first_kept_,
                    [&] { RequireAlone(held); });
      return mender.Mend(relation, differences);
    };
    const Result<std::vector<RelationReport>> reports = CompareRelations(held, relations, mend, nullptr);
    if (!reports) return tl::unexpected<Error>(reports.error());
    for (const auto& [relation, count] : counts) {
      mended->push_back(std::string(SpecOf(relation).name) + ": " + std::to_string(count) +
                        (count == 1 ? " key" : " keys"));
    }
    return held.StillHeld();
  }

  Status MendIndex(const CheckReport& report, std::vector<std::string>* mended) {
    bool is_wrong = false;
    for (const RelationReport& relation : report.relations) {
      is_wrong = is_wrong || (relation.relation >= Relation::kIndexUsers && !relation.Agrees());
    }
    if (!is_wrong) return {};
    progress_("building the index anew");
    if (Status built = subjects_.rebuild_index(); !built) return built;
    mended->push_back(report.events_from ? "index: built anew from the warehouse and the log"
                                         : "index: built anew from the tables and the log");
    return {};
  }

  const CheckSubjects& subjects_;
  const CheckOptions& options_;
  const CheckProgress& progress_;
  WarehouseFacts* mending_with_ = nullptr;
  std::optional<std::int64_t> first_kept_;  // where the change log can be read from
};

}  // namespace

Result<CheckOutcome> RunCheck(const CheckSubjects& subjects, const CheckOptions& options,
                              const CheckProgress& progress) {
  subjects.prepare();
  return Check(subjects, options, progress).Run();
}

}  // namespace novafeed
