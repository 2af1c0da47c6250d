#include "check/truth.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "graph/store.h"
#include "index/boot.h"

namespace novafeed {
namespace {

constexpr std::size_t kBatch = 4096;
// How long a log may take to come as far as the state of the store that it is captured from.
constexpr std::chrono::seconds kLogPatience{30};
constexpr std::chrono::milliseconds kLook{20};

Status CheckBehind(const char* stream, const EventPoints& wanted, const EventPoints& end) {
  if (Reached(wanted, end)) return {};
  return Fail(Failure::kConflict, "position_ahead",
              "The log of " + std::string(stream) + " ends at " + Describe(end) + ", but what was made from it is at " +
                  Describe(wanted) + ": parts of the data directory are of different times. Restore it whole.");
}

void TakeBack(const Change& change, FactWriter* writer) {
  if (change.after) writer->AddRow(*change.after, -1);
  if (change.before) writer->AddRow(*change.before, 1);
}

using Tick = std::function<void()>;

// Waits for what is still on its way to a log that others write.
class Arrivals {
 public:
  // Something came.
  void Note() { last_ = std::chrono::steady_clock::now(); }
  // Nothing came. StoreError kUnavailable "log_behind" where that has been so for long.
  void Await(const std::string& log) const {
    if (std::chrono::steady_clock::now() - last_ > kLogPatience) {
      throw StoreError(Error{Failure::kUnavailable, "log_behind",
                             "What is known elsewhere does not come through the log of " + log +
                                 ": capture or a reader stands still. Try again when it goes on.",
                             1000});
    }
    std::this_thread::sleep_for(kLook);
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Gives each change behind `at` up to `cut` to `take`.
template <class F>
void ForEachChange(ChangeFeed* changes, std::int64_t at, std::int64_t cut, const Tick& tick, const F& take) {
  Arrivals arrivals;
  while (at < cut) {
    tick();
    const std::vector<Change> batch = changes->Read(at, kBatch);
    for (const Change& change : batch) {
      if (change.sequence > cut) return;
      take(change);
      at = change.sequence;
    }
    if (!batch.empty()) {
      arrivals.Note();
    } else if ((at = changes->QuietThrough(at)) < cut) {
      if (!changes->CompleteAsOf(at)) return;  // of one process: what is not there does not come
      arrivals.Await("changes");
    }
  }
}

Status ReadGraph(ChangeFeed* changes, std::span<const TruthTarget> targets, const Tick& tick) {
  const std::int64_t cut = changes->ReadState([&](const std::vector<Change>& rows) {
    tick();
    for (const Change& row : rows) {
      for (const TruthTarget& target : targets) target.writer->AddRow(*row.after, 1);
    }
  });
  std::int64_t at = cut;
  for (const TruthTarget& target : targets) {
    if (Status behind = CheckBehind("changes", {target.position.changes}, {cut}); !behind) return behind;
    at = std::min(at, target.position.changes);
  }
  ForEachChange(changes, at, cut, tick, [&](const Change& change) {
    for (const TruthTarget& target : targets) {
      if (target.position.changes < change.sequence) TakeBack(change, target.writer);
    }
  });
  return {};
}

Status ReadEvents(EventLog* events, std::span<const TruthTarget> targets, const Tick& tick) {
  const EventPoints end = events->End();
  EventPoints last;
  for (const TruthTarget& target : targets) {
    if (Status behind = CheckBehind("events", target.position.events, end); !behind) return behind;
    last = Union(last, target.position.events);
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
  EventPoints at =
      HeldBy(events).totals ? events->ReadForgotten(take_totals, take_interactions) : events->HowFarForgotten().through;
  Arrivals arrivals;
  while (!Reached(last, at)) {
    tick();
    const std::vector<LoggedEvent> batch = events->Read(at, kBatch);
    for (const LoggedEvent& logged : batch) {
      Advance(&at, logged);
      for (const TruthTarget& target : targets) {
        if (logged.IsWithin(target.position.events)) target.writer->AddEvent(logged);
      }
    }
    if (!batch.empty()) arrivals.Note();
    at = events->QuietThrough(at);
    if (batch.empty() && !Reached(last, at)) arrivals.Await("events");
  }
  return {};
}

}  // namespace

HeldEvents HeldBy(EventLog* events) {
  const EventLog::Forgotten forgotten = events->HowFarForgotten();
  HeldEvents held;
  if (forgotten.through != EventPoints()) held.from = forgotten.latest + 1;
  struct Enough {};
  const auto stop = [](const auto&) { throw Enough(); };
  try {
    events->ReadForgotten(stop, stop);
  } catch (const Enough&) {
    // The first of many.
  } catch (const StoreError& error) {
    if (error.error().code != kNoTotals) throw;
    held.totals = false;
  }
  return held;
}

Status ReadTruth(ChangeFeed* changes, EventLog* events, std::span<const TruthTarget> targets, const Tick& tick) {
  if (Status read = ReadGraph(changes, targets, tick); !read) return read;
  return ReadEvents(events, targets, tick);
}

}  // namespace novafeed
