#include "check/truth.h"

#include <algorithm>
#include <string>
#include <vector>

namespace novafeed {
namespace {

constexpr std::size_t kBatch = 4096;

Status CheckBehind(const char* stream, std::int64_t wanted, std::int64_t end) {
  if (wanted <= end) return {};
  return Fail(Failure::kConflict, "position_ahead",
              "The log of " + std::string(stream) + " ends at " + std::to_string(end) +
                  ", but what was made from it is at " + std::to_string(wanted) +
                  ": parts of the data directory are of different times. Restore it whole.");
}

void TakeBack(const Change& change, FactWriter* writer) {
  if (change.after) writer->AddRow(*change.after, -1);
  if (change.before) writer->AddRow(*change.before, 1);
}

using Tick = std::function<void()>;

Status ReadGraph(ChangeFeed* changes, std::span<const TruthTarget> targets, const Tick& tick) {
  const std::int64_t cut = changes->ReadState([&](const std::vector<Change>& rows) {
    tick();
    for (const Change& row : rows) {
      for (const TruthTarget& target : targets) target.writer->AddRow(*row.after, 1);
    }
  });
  std::int64_t at = cut;
  for (const TruthTarget& target : targets) {
    if (Status behind = CheckBehind("changes", target.position.changes, cut); !behind) return behind;
    at = std::min(at, target.position.changes);
  }
  while (at < cut) {
    const std::vector<Change> batch = changes->Read(at, kBatch);
    if (batch.empty()) break;
    for (const Change& change : batch) {
      at = change.sequence;
      if (at > cut) break;
      for (const TruthTarget& target : targets) {
        if (target.position.changes < at) TakeBack(change, target.writer);
      }
    }
  }
  return {};
}

Status ReadEvents(EventLog* events, std::span<const TruthTarget> targets, const Tick& tick) {
  const std::int64_t end = events->End();
  std::int64_t last = 0;
  for (const TruthTarget& target : targets) {
    if (Status behind = CheckBehind("events", target.position.events, end); !behind) return behind;
    last = std::max(last, target.position.events);
  }
  const auto take_totals = [&](const std::vector<ForgottenTotals>& batch) {
    for (const ForgottenTotals& totals : batch) {
      for (const TruthTarget& target : targets) target.writer->AddForgotten(totals);
    }
  };
  const auto take_interactions = [&](const std::vector<InteractionCount>& batch) {
    for (const InteractionCount& interactions : batch) {
      for (const TruthTarget& target : targets) target.writer->AddForgotten(interactions);
    }
  };
  std::int64_t at = events->ReadForgotten(take_totals, take_interactions);
  while (at < last) {
    tick();
    const std::vector<LoggedEvent> batch = events->Read(at, kBatch);
    if (batch.empty()) break;
    for (const LoggedEvent& logged : batch) {
      at = logged.sequence;
      for (const TruthTarget& target : targets) {
        if (at <= target.position.events) target.writer->AddEvent(logged);
      }
    }
  }
  return {};
}

}  // namespace

Status ReadTruth(ChangeFeed* changes, EventLog* events, std::span<const TruthTarget> targets, const Tick& tick) {
  if (Status read = ReadGraph(changes, targets, tick); !read) return read;
  return ReadEvents(events, targets, tick);
}

}  // namespace novafeed
