#include "app/demo_data.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "demo/demo_network.h"
#include "import/line_applier.h"
#include "import/line_feed.h"

namespace novafeed {
namespace {

// Facts of the graph: when the demo was made (which decides all of it), and that all of it is there.
constexpr std::string_view kMadeAtFact = "demo.made_at";
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

Status SetFact(GraphStore* graph, std::string_view key, const std::string& value) {
  return WriteAndWait(graph, [key, value](GraphTransaction& tx) { tx.SetFact(key, value); });
}

std::vector<ImportLine> DemoLines(TimeMs made_at) {
  DemoOptions options;
  options.now = made_at;
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
Status ApplyLines(EmbeddedStores* stores, std::span<const ImportLine> lines) {
  const KnownRows nothing_known;
  std::vector<Event> events;
  const Status written = WriteAndWait(stores->graph.get(), [&](GraphTransaction& tx) {
    LineApplier applier(&tx, &nothing_known, 0);
    for (const ImportLine& line : lines) {
      const Result<Outcome> outcome = applier.Apply(line);
      if (!outcome) throw StoreError(outcome.error());  // the network is made of valid actions
    }
    events = applier.TakeEvents();
  });
  if (!written) return written;
  return AppendAndWait(stores->events.get(), std::move(events));
}

// When the demo in these stores was made; marks empty ones as a demo's.
Result<TimeMs> MadeAt(EmbeddedStores* stores, TimeMs now) {
  if (const auto fact = stores->graph->GetFact(kMadeAtFact)) return std::stoll(*fact);
  if (stores->changes->End() > 0 || stores->events->End() > 0) {
    return Fail(
        Failure::kConflict, "no_demo_data",
        "The data directory holds data that no demo made, and --demo would let anybody act as any of its users: "
        "serve it without --demo (./run --no-demo), or choose another directory with --data.");
  }
  if (const Status marked = SetFact(stores->graph.get(), kMadeAtFact, std::to_string(now)); !marked) {
    return tl::unexpected<Error>(marked.error());
  }
  return now;
}

}  // namespace

Status EnsureDemoData(EmbeddedStores* stores, TimeMs now, const DemoProgress& progress) {
  const Result<TimeMs> made_at = MadeAt(stores, now);
  if (!made_at) return tl::unexpected<Error>(made_at.error());
  if (stores->graph->GetFact(kCompleteFact)) return {};

  const std::vector<ImportLine> lines = DemoLines(*made_at);
  for (std::size_t done = 0; done < lines.size();) {
    const std::size_t count = std::min(kImportBatchLines, lines.size() - done);
    if (Status applied = ApplyLines(stores, std::span(lines).subspan(done, count)); !applied) return applied;
    done += count;
    progress(done, lines.size());
  }
  return SetFact(stores->graph.get(), kCompleteFact, "1");
}

}  // namespace novafeed
