#include "warehouse/follower.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/uuid.h"
#include "graph/store.h"
#include "warehouse/freshness.h"
#include "warehouse/landing_holds.h"
#include "warehouse/waiting_rewind.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Further behind than that, counters are refreshed rarely: each refresh reads all sets of what was touched.
constexpr std::int64_t kFarBehind = 50'000;
constexpr std::chrono::seconds kSettleWhileBehind{15};
// A cut lands so many messages itself at most; further behind, landing goes on first.
constexpr std::int64_t kMostToLand = 100'000;
constexpr milliseconds kLookAtHoldsEvery{200};
constexpr std::chrono::seconds kRenewHoldEvery{1};
constexpr std::int64_t kFailureLogMs = 10'000;
// An engine that starts, or starts again, is away for that long without a word.
constexpr std::chrono::seconds kSilence{5};

// An engine that was never attached: nobody holds anything there.
bool HasNoSchema(const Error& error) {
  const auto names = [&error](std::string_view what) { return error.detail.find(what) != std::string::npos; };
  return error.code == "olap_error" && (names("UNKNOWN_TABLE") || names("UNKNOWN_DATABASE"));
}

Error Elsewhere() {
  return Error{Failure::kUnavailable, "warehouse_elsewhere",
               "Another node settles the warehouse, and only that one can do this.", 1000};
}

}  // namespace

struct WarehouseFollower::State {
  State(FillerDesk* desk_in, const Clock* clock_in, Olap* olap, LandingTopics* topics_in, ChangeFeed* graph,
        EventLog* events, std::string generation, std::function<std::uint64_t()> lease_term_in, Metrics* metrics,
        const WarehouseFollowerOptions& options_in)
      : desk(desk_in),
        clock(clock_in),
        topics(topics_in),
        options(options_in),
        settler(clock_in, olap, topics_in, graph, events, std::move(generation), metrics, options_in.settler),
        holds(olap),
        lease_term(std::move(lease_term_in)),
        has_lease([this] { return !desk->stopping() && term != 0 && lease_term() == term; }),
        failures(metrics->AddCounter("novafeed_warehouse_failures_total",
                                     "Times the warehouse could not be filled and it was tried again.")),
        lag_seconds(metrics->AddGauge("novafeed_warehouse_lag_seconds", "Age of the warehouse's counters.")),
        refused(metrics->AddGauge("novafeed_warehouse_refused", "1 where this warehouse cannot be gone on with.")),
        failure_log(kFailureLogMs) {}

  void Run();
  Status Round();
  Status GuardedRound();
  Status Lead();
  Status Attach();
  Status Settle();
  Status FollowOthers();
  Status HoldCut();
  Status WantHold();
  Status AskForHold();
  Status GiveUpHold();
  bool KeepHold();
  void HoldStill();
  Result<bool> TellHolders();
  bool SettleIsDue() const;
  Status Rewind(const SinkRewind& wanted);
  void DropRewind();
  void NoteEnds(TimeMs before);
  void NoteFreshness();
  void NoteFailure(const Error& error);
  void Publish(SinkPhase phase, const std::string& reason);

  FillerDesk* desk;
  const Clock* clock;
  LandingTopics* topics;
  const WarehouseFollowerOptions options;
  LandingSettler settler;  // the follower's thread only, as the next ones
  LandingHolds holds;
  std::set<std::string> told;           // of the holders elsewhere, while this node holds still
  std::string holder;                   // this node's name in the table of holds; empty while it has none
  SteadyClock::time_point wanted_at{};  // when the hold was renewed
  const std::function<std::uint64_t()> lease_term;
  std::uint64_t term = 0;                 // of the lease, as of the last round
  const std::function<bool()> has_lease;  // for that term, still
  Counter failures;
  Gauge lag_seconds;
  Gauge refused;
  LogGate failure_log;
  milliseconds pause{0};
  bool is_cut = false;
  bool has_refused = false;
  SteadyClock::time_point failing_since{};
  SteadyClock::time_point settled_at{};
  Freshness<std::int64_t> changes_freshness;
  Freshness<EventPoints> events_freshness;

  std::atomic<bool> is_mine{false};  // as of the last round
  std::atomic<TimeMs> as_of{0};
  std::atomic<TimeMs> started_at{0};

  WaitingRewind rewind;
};

// ---------------------------------------------------------------------------------------------- the follower's thread

void WarehouseFollower::State::Run() {
  while (!desk->stopping()) {
    const SteadyClock::time_point started = SteadyClock::now();
    const Status done = GuardedRound();
    if (done) {
      pause = options.first_pause;
      failing_since = {};
      Publish(settler.MessagesBehind() > kFarBehind ? SinkPhase::kCatchingUp : SinkPhase::kFollowing, "");
      desk->PublishProgress(settler.MessagesBehind(), 0);
    } else if (!desk->stopping()) {
      NoteFailure(done.error());
    }
    desk->AnswerWaiters(has_refused);
    if (has_refused) break;
    if (done && is_cut) {
      HoldStill();
      is_cut = false;
      continue;
    }
    if (!done) {
      desk->Idle(SteadyClock::now() + pause, [] { return false; });
      pause = std::min(pause * 2, options.max_pause);
    } else {
      desk->WaitForWork(started + options.refresh_every);
    }
  }
  if (has_refused) desk->Idle(SteadyClock::time_point::max(), [] { return false; });
  desk->AnswerWaiters(true);
  desk->NoteEnd();
}

Status WarehouseFollower::State::GuardedRound() try { return Round(); } catch (const StoreError& error) {
  return tl::unexpected<Error>(error.error());
} catch (const std::exception& error) {
  return Fail(Failure::kUnavailable, "log_unreadable", error.what());
}

Status WarehouseFollower::State::Round() {
  const TimeMs before = clock->Now();
  is_cut = false;
  const std::uint64_t now_in = lease_term();
  if (now_in != std::exchange(term, now_in)) settler.Detach();  // another one may have settled meanwhile
  is_mine = has_lease();
  if (Status done = is_mine ? Lead() : FollowOthers(); !done) return done;
  NoteEnds(before);
  NoteFreshness();
  return {};
}

Status WarehouseFollower::State::Lead() {
  // Nobody is let in during a round: its own hold, of before it had the lease, would keep Attach() waiting.
  if (!desk->WantsPause() || !settler.attached()) {
    if (Status given_up = GiveUpHold(); !given_up) return given_up;
  }
  if (!settler.attached()) {
    if (Status attached = Attach(); !attached) return attached;
  }
  const Result<std::vector<LandingHold>> wanted = holds.List();
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  if (!desk->WantsPause() && wanted->empty()) return Settle();
  settler.LookAtEnds();
  // Where a cut cannot be made yet, landing goes on.
  if (!settler.knows_changes() || settler.MessagesBehind() > kMostToLand) return Settle();
  if (Status cut = settler.Cut(has_lease); !cut) return cut;
  return HoldCut();
}

// While somebody reads whom another node has let in before it lost the lease, nothing is changed.
Status WarehouseFollower::State::Attach() {
  const Result<std::vector<LandingHold>> others = holds.List();
  if (!others && !HasNoSchema(others.error())) return tl::unexpected<Error>(others.error());
  if (others && std::ranges::any_of(*others, &LandingHold::is_held)) {
    return Fail(Failure::kUnavailable, "warehouse_busy", "A reader holds the warehouse still.", 1000);
  }
  if (others && has_lease()) {
    if (Status cleared = holds.Clear(); !cleared) return cleared;
  }
  return settler.Attach(has_lease);
}

Status WarehouseFollower::State::Settle() {
  // Before landing goes on: a group cannot be set back until its members are gone, which takes as long as a session.
  Status rewound = rewind.Do([this](const SinkRewind& wanted) { return Rewind(wanted); });
  if (!rewound) return rewound;
  if (Status going = settler.GoOn(has_lease); !going) return going;
  if (!SettleIsDue()) {
    settler.LookAtEnds();
    return {};
  }
  if (Status settled = settler.Settle(has_lease); !settled) return settled;
  settled_at = SteadyClock::now();
  return {};
}

Status WarehouseFollower::State::FollowOthers() {
  settler.Detach();
  DropRewind();
  if (Status asked = desk->WantsPause() ? AskForHold() : GiveUpHold(); !asked) return asked;
  if (Status read = settler.ReadApplied(); !read) return read;
  settler.LookAtEnds();
  return {};
}

// So that whoever settles after this node lets its readers end, too. The lease is asked for behind that: who takes it
// later sees the hold.
Status WarehouseFollower::State::HoldCut() {
  wanted_at = {};
  if (Status held = WantHold(); !held) return held;
  is_cut = has_lease();
  if (is_cut) return {};
  settler.Detach();
  static_cast<void>(GiveUpHold());  // whoever has taken it may not have seen the hold
  return tl::unexpected<Error>(Elsewhere());
}

Status WarehouseFollower::State::WantHold() {
  const SteadyClock::time_point now = SteadyClock::now();
  if (!holder.empty() && now - wanted_at < kRenewHoldEvery) return {};
  if (holder.empty()) holder = NewUuid(clock->Now()).ToString();
  if (Status wanted = holds.Want(holder); !wanted) return wanted;
  if (is_mine) {
    if (Status told_itself = holds.Tell(holder); !told_itself) return told_itself;
  }
  wanted_at = now;
  return {};
}

// Who settles tells when landing holds still; the position that it has written by then is that of the cut.
Status WarehouseFollower::State::AskForHold() {
  if (Status wanted = WantHold(); !wanted) return wanted;
  const Result<std::vector<LandingHold>> all = holds.List();
  if (!all) return tl::unexpected<Error>(all.error());
  is_cut = std::ranges::any_of(*all, [this](const LandingHold& hold) { return hold.holder == holder && hold.is_held; });
  return {};
}

Status WarehouseFollower::State::GiveUpHold() {
  if (holder.empty()) return {};
  return holds.Release(std::exchange(holder, {}));
}

// Once a second, while somebody reads: whether nobody lands. Whoever may land only knows of this by the hold; as long
// as this node has the lease, nobody may.
bool WarehouseFollower::State::KeepHold() {
  if (desk->stopping()) return false;
  is_mine = is_mine && has_lease();
  if (is_mine) {
    static_cast<void>(TellHolders());
    return true;
  }
  // One that has lapsed may have been overlooked, whatever is said of it by now.
  const auto age = [this] { return SteadyClock::now() - wanted_at; };
  const Status kept = age() < LandingHolds::kLasts ? AskForHold() : Fail(Failure::kUnavailable, "", "It has lapsed.");
  if (kept ? is_cut : age() < LandingHolds::kLasts / 2) return true;
  Log(LogLevel::kError, "warehouse_hold_lost",
      {{"reason", kept ? "The node that settles the warehouse went on." : kept.error().detail}});
  return false;
}

// Until nobody reads any more, here or elsewhere.
void WarehouseFollower::State::HoldStill() {
  bool others_read = true;
  while (others_read) {
    desk->HoldStill(settler.applied(), [this] { return KeepHold(); });
    is_mine = is_mine && has_lease();
    if (!is_mine) break;
    const Result<bool> told_some = TellHolders();
    if (!told_some) break;
    others_read = *told_some;
    if (others_read) desk->Idle(SteadyClock::now() + kLookAtHoldsEvery, [] { return false; });
  }
  if (others_read) {
    // Whoever was told may read on: before anything is changed, Attach() looks for them.
    settler.Detach();
  } else {
    // Whoever was told and has not gone must not take a later hold for this one.
    for (const std::string& name : told) static_cast<void>(holds.Release(name));
  }
  told.clear();
  // A reader whom the end of this node overtakes is left the time that its hold lasts.
  if (!desk->stopping() || !desk->WantsPause()) static_cast<void>(GiveUpHold());
}

// Renews this node's own hold, and tells the others that theirs is held; whether there are any.
Result<bool> WarehouseFollower::State::TellHolders() {
  if (Status held = WantHold(); !held) return tl::unexpected<Error>(held.error());
  const Result<std::vector<LandingHold>> all = holds.List();
  if (!all) return tl::unexpected<Error>(all.error());
  bool is_any = false;
  for (const LandingHold& hold : *all) {
    if (hold.holder == holder) continue;
    is_any = true;
    if (told.contains(hold.holder)) continue;
    if (Status done = holds.Tell(hold.holder); !done) return tl::unexpected<Error>(done.error());
    told.insert(hold.holder);
  }
  return is_any;
}

bool WarehouseFollower::State::SettleIsDue() const {
  return settler.MessagesBehind() <= kFarBehind || SteadyClock::now() - settled_at >= kSettleWhileBehind;
}

Status WarehouseFollower::State::Rewind(const SinkRewind& wanted) {
  if (Status rewound = settler.Rewind(wanted.events, wanted.changes.has_value(), has_lease); !rewound) return rewound;
  Publish(SinkPhase::kCatchingUp, "");
  desk->PublishProgress(settler.MessagesBehind(), 0);
  return {};
}

// Whoever settles now does not know of it.
void WarehouseFollower::State::DropRewind() {
  if (!rewind.Drop()) return;
  Log(LogLevel::kWarn, "warehouse_rewind_dropped",
      {{"reason", "Another node settles the warehouse now: ask that one to land the log again."}});
}

// Where the log ends is asked after the time was taken that it stands for.
void WarehouseFollower::State::NoteEnds(TimeMs before) {
  const NewestCommit newest = topics->ReadNewestCommit();
  changes_freshness.Note(newest.committed_at, newest.commit);
  events_freshness.Note(before, settler.EventsEnd());
}

void WarehouseFollower::State::NoteFreshness() {
  const Position& applied = settler.applied();
  if (applied == Position{}) return;
  const TimeMs changes = changes_freshness.AsOf([&](std::int64_t commit) { return applied.changes >= commit; });
  const TimeMs events = events_freshness.AsOf([&](const EventPoints& end) { return Reached(end, applied.events); });
  as_of = std::min(changes, events);
}

void WarehouseFollower::State::NoteFailure(const Error& error) {
  const bool is_final = IsFinal(error);
  Publish(is_final ? SinkPhase::kRefused : SinkPhase::kWaiting, error.detail);
  if (is_final) {
    has_refused = true;
    refused.Set(1);
    Log(LogLevel::kError, "warehouse_refused", {{"code", error.code}, {"reason", error.detail}});
    return;
  }
  // An engine that answers, but not as it should, may be another one than before.
  if (error.code == "olap_error" || error.code == "not_mine") settler.Detach();
  failures.Add();
  const SteadyClock::time_point now = SteadyClock::now();
  if (failing_since == SteadyClock::time_point{}) failing_since = now;
  if (now - failing_since < kSilence && error.failure == Failure::kUnavailable) return;
  if (failure_log.Open()) {
    Log(LogLevel::kWarn, "warehouse_not_filled", {{"code", error.code}, {"reason", error.detail}});
  }
}

void WarehouseFollower::State::Publish(SinkPhase phase, const std::string& reason) {
  desk->Publish(phase, reason, settler.applied(), settler.landing());
}

// ------------------------------------------------------------------------------------------------------- for everybody

WarehouseFollower::WarehouseFollower(const Clock* clock, Olap* olap, LandingTopics* topics, ChangeFeed* graph,
                                     EventLog* events, std::string generation,
                                     std::function<std::uint64_t()> lease_term, Metrics* metrics,
                                     WarehouseFollowerOptions options)
    : state_(std::make_unique<State>(desk(), clock, olap, topics, graph, events, std::move(generation),
                                     std::move(lease_term), metrics, options)) {}

WarehouseFollower::~WarehouseFollower() {
  Stop();
}

void WarehouseFollower::Start() {
  state_->started_at = state_->clock->Now();  // nothing is known yet: the lag begins to grow
  StartThread([state = state_.get()] { state->Run(); });
}

SinkStatus WarehouseFollower::status() const {
  const bool goes_back = state_->rewind.any();  // before: what is done meanwhile has published its phase
  SinkStatus status = desk().status();
  if (goes_back && status.phase == SinkPhase::kFollowing) status.phase = SinkPhase::kCatchingUp;
  return status;
}

Status WarehouseFollower::Rewind(const SinkRewind& rewind) {
  const Position applied = position();
  const EventPoints events = rewind.events.value_or(EventPoints());
  const bool is_within = rewind.changes.value_or(0) >= 0 && rewind.changes.value_or(0) <= applied.changes &&
                         Reached(EventPoints(), events) && Reached(events, applied.events);
  if (!is_within || rewind.state) {
    return Fail(
        Failure::kInvalid, "bad_rewind",
        "The warehouse has applied the changes up to " + std::to_string(applied.changes) + " and " +
            Describe(applied.events) +
            " events: go back to a sequence of 0 up to those. The state comes by a new snapshot of the database.");
  }
  if (!state_->is_mine) return tl::unexpected<Error>(Elsewhere());
  state_->rewind.Add(rewind);
  desk()->Hurry();
  return {};
}

TimeMs WarehouseFollower::CountersAsOf() const {
  return std::min(state_->as_of.load(), state_->clock->Now());
}

double WarehouseFollower::LagSeconds() const {
  const TimeMs as_of = CountersAsOf();
  const TimeMs since = as_of == 0 ? state_->started_at.load() : as_of;
  return static_cast<double>(std::max<TimeMs>(0, state_->clock->Now() - since)) / 1000.0;
}

void WarehouseFollower::ReportLag() const {
  state_->lag_seconds.Set(LagSeconds());
}

}  // namespace novafeed
