#include "app/demo_data.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "import/line_applier.h"
#include "import/line_feed.h"

namespace novafeed {
namespace {

// Facts of the graph: what decides all of the demo, and that all of it is there.
constexpr std::string_view kMadeAtFact = "demo.made_at";
constexpr std::string_view kSeedFact = "demo.seed";
constexpr std::string_view kUsersFact = "demo.users";
constexpr std::string_view kCompleteFact = "demo.complete";

Status WriteAndWait(GraphStore* graph, GraphStore::Work work) {
  std::promise<Result<std::int64_t>> done;
  graph->Write(std::move(work), [&done](Result<std::int64_t> result) { done.set_value(std::move(result)); });
  const Result<std::int64_t> result = done.get_future().get();
  if (!result) return tl::unexpected<Error>(result.error());
  return {};
}

Status AppendAndWait(EventLog* log, std::vector<Event> events) {
  std::promise<Result<EventLog::Appended>> done;
  log->Append(std::move(events), [&done](Result<EventLog::Appended> result) { done.set_value(std::move(result)); });
  const Result<EventLog::Appended> result = done.get_future().get();
  if (!result) return tl::unexpected<Error>(result.error());
  return {};
}

std::vector<ImportLine> DemoLines(const DemoOptions& options) {
  std::vector<ImportLine> lines;
  EventNumbering numbering;
  GenerateDemoNetwork(options, [&](const ImportAction& action) {
    ImportLine line{static_cast<std::int64_t>(lines.size()) + 1, 0, 0, action, {}, 0};
    numbering.Assign(&line);
    lines.push_back(std::move(line));
  });
  return lines;
}

// Rows, then events: both are known again by their ids when a stopped filling starts from the beginning.
Status ApplyLines(Stores* stores, std::span<const ImportLine> lines, KnownRows* known) {
  std::vector<Event> events;
  KnownRows learned;
  const Status written = WriteAndWait(stores->graph.get(), [&](GraphTransaction& tx) {
    LineApplier applier(&tx, known, 0);
    for (const ImportLine& line : lines) {
      const Result<Outcome> outcome = applier.Apply(line);
      if (!outcome) throw StoreError(outcome.error());  // the network is made of valid actions
    }
    events = applier.TakeEvents();
    learned = applier.TakeLearned();
  });
  if (!written) return written;
  known->Add(learned);
  return AppendAndWait(stores->events.get(), std::move(events));
}

bool HoldsNothing(Stores* stores) {
  GraphStore* graph = stores->graph.get();
  return graph->ListUsers("", 1).empty() && graph->ReadErasures().empty() && stores->events->End() == EventPoints();
}

// What demo the facts speak of.
std::optional<DemoOptions> MarkedAs(GraphTransaction& tx) {
  const auto made_at = tx.GetFact(kMadeAtFact);
  if (!made_at) return std::nullopt;
  const DemoOptions first;  // what a demo without the other facts was made with
  const auto seed = tx.GetFact(kSeedFact);
  const auto users = tx.GetFact(kUsersFact);
  return DemoOptionsFor(seed ? std::stoull(*seed) : first.seed, users ? std::stoull(*users) : first.users,
                        std::stoll(*made_at));
}

void Mark(GraphTransaction& tx, const DemoOptions& demo) {
  tx.SetFact(kMadeAtFact, std::to_string(demo.now));
  tx.SetFact(kSeedFact, std::to_string(demo.seed));
  tx.SetFact(kUsersFact, std::to_string(demo.users));
}

// What demo these stores hold or have begun; marks empty ones as the wanted one's. In one transaction: of several
// processes that begin at once, one decides.
Result<DemoOptions> Claim(Stores* stores, const DemoOptions& wanted) {
  const bool empty = HoldsNothing(stores);
  std::optional<DemoOptions> claimed;
  const Status marked = WriteAndWait(stores->graph.get(), [&](GraphTransaction& tx) {
    claimed = MarkedAs(tx);
    if (claimed || !empty) return;
    Mark(tx, wanted);
    claimed = wanted;
  });
  if (!marked) return tl::unexpected<Error>(marked.error());
  if (claimed) return *claimed;
  return Fail(Failure::kConflict, "no_demo_data",
              "There is data that no demo made, and --demo would let anybody act as any of its users: serve it without "
              "--demo (--no-demo of ./run and ./cluster), or choose another directory with --data.");
}

}  // namespace

Result<DemoOptions> EnsureDemoData(Stores* stores, const DemoOptions& wanted, const DemoProgress& progress) {
  Result<DemoOptions> options = Claim(stores, wanted);
  if (!options || stores->graph->GetFact(kCompleteFact)) return options;

  const std::vector<ImportLine> lines = DemoLines(*options);
  KnownRows known;  // nobody acts on a demo before it is complete
  for (std::size_t done = 0; done < lines.size();) {
    const std::size_t count = std::min(kImportBatchLines, lines.size() - done);
    const Status applied = ApplyLines(stores, std::span(lines).subspan(done, count), &known);
    if (!applied) return tl::unexpected<Error>(applied.error());
    done += count;
    progress(done, lines.size());
  }
  const Status complete =
      WriteAndWait(stores->graph.get(), [](GraphTransaction& tx) { tx.SetFact(kCompleteFact, "1"); });
  if (!complete) return tl::unexpected<Error>(complete.error());
  return options;
}

}  // namespace novafeed
