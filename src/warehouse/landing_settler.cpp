#include "warehouse/landing_settler.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "graph/store.h"
#include "warehouse/refresh.h"
#include "warehouse/schema.h"
#include "warehouse/sql.h"
#include "warehouse/state_landing.h"

namespace novafeed {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kCommitsAtOnce = 1000;
constexpr std::chrono::milliseconds kReadCommitsFor{500};       // of one step; a long log is read in several
constexpr std::chrono::milliseconds kStartIsKnownWithin{1500};  // an uptime is in whole seconds
constexpr std::chrono::milliseconds kLookEvery{10};             // for the rest of a commit
constexpr std::size_t kInsertBytes = 8UL << 20;
constexpr std::size_t kStateRows = 50'000;
constexpr std::size_t kEventsAtOnce = 10'000;
// Versions that whoever settled before may still give to what it has on its way.
constexpr std::uint64_t kVersionsOfOthers = 1UL << 20;
constexpr std::string_view kReadUptime = "SELECT toInt64(uptime())";
constexpr std::string_view kStopTtlMerges = "SYSTEM STOP TTL MERGES";

const OlapCall kShortCall{std::chrono::seconds(10)};
const OlapCall kDropCall{std::chrono::seconds(30)};
const OlapCall kInsertCall{std::chrono::seconds(60), {{"async_insert", "0"}, {"max_partitions_per_insert_block", "0"}}};

const std::vector<double> kSeconds = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60};

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

tl::unexpected<Error> NotMine() {
  return Fail(Failure::kUnavailable, "not_mine", "Another node settles the warehouse now.", 1000);
}

tl::unexpected<Error> Busy(const std::string& why) {
  return Fail(Failure::kUnavailable, "warehouse_busy", why + ": try again.", 1000);
}

std::string Named(std::size_t topic, std::size_t partition) {
  const std::string name(kLandingTopics[topic]);
  return topic == kEventsTopic ? name + "/" + std::to_string(partition) : name;
}

// A row of a landing table in RowBinary: raw, partition, offset.
void AppendRow(std::string_view raw, std::uint64_t partition, std::uint64_t offset, std::string* rows) {
  std::uint64_t size = raw.size();
  for (; size >= 0x80; size >>= 7U) rows->push_back(static_cast<char>(size | 0x80U));
  rows->push_back(static_cast<char>(size));
  rows->append(raw);
  static_assert(std::endian::native == std::endian::little);
  for (const std::uint64_t number : {partition, offset}) {
    std::array<char, sizeof number> bytes;
    std::memcpy(bytes.data(), &number, sizeof number);
    rows->push_back('\0');  // it is not NULL
    rows->append(bytes.data(), bytes.size());
  }
}

template <class Handle, class Add>
std::vector<Handle> OfEachTopic(Add add) {
  std::vector<Handle> handles;
  handles.reserve(kLandingTopics.size());
  for (const std::string_view topic : kLandingTopics)
    handles.push_back(add(MetricLabels{{"topic", std::string(topic)}}));
  return handles;
}

}  // namespace

bool IsFinal(const Error& error) {
  static constexpr std::array<std::string_view, 5> kFinal = {
      "schema_newer", "schema_changed", "warehouse_other_generation", "warehouse_ahead", "bad_topic"};
  return std::ranges::find(kFinal, error.code) != kFinal.end();
}

LandingSettler::LandingSettler(const Clock* clock, Olap* olap, LandingTopics* topics, ChangeFeed* graph,
                               EventLog* events, std::string generation, Metrics* metrics,
                               LandingSettlerOptions options)
    : clock_(clock),
      olap_(olap),
      topics_(topics),
      graph_(graph),
      events_(events),
      generation_(std::move(generation)),
      options_(std::move(options)),
      lost_(OfEachTopic<Counter>([metrics](const MetricLabels& labels) {
        return metrics->AddCounter("novafeed_warehouse_lost_messages_total",
                                   "Messages that Kafka has forgotten before the warehouse had landed them.", labels);
      })),
      behind_(OfEachTopic<Gauge>([metrics](const MetricLabels& labels) {
        return metrics->AddGauge("novafeed_warehouse_behind_messages",
                                 "Messages in Kafka that the warehouse has not landed yet.", labels);
      })),
      states_(metrics->AddCounter("novafeed_warehouse_states_total",
                                  "Times the state of the graph was landed, because the log could not be followed.")),
      ghosts_(metrics->AddCounter("novafeed_warehouse_ghosts_total",
                                  "Rows that were taken out, because their deletion was lost with a part of the log.")),
      applied_changes_(metrics->AddCounter("novafeed_warehouse_applied_total",
                                           "Log entries that the warehouse has applied.", {{"stream", "changes"}})),
      applied_events_(metrics->AddCounter("novafeed_warehouse_applied_total",
                                          "Log entries that the warehouse has applied.", {{"stream", "events"}})),
      refresh_seconds_(metrics->AddHistogram("novafeed_warehouse_refresh_seconds",
                                             "Refreshing the counters that batches have touched.", kSeconds)) {}

// ------------------------------------------------------------------------------------------------------------- attach

Status LandingSettler::Attach(const IsMine& is_mine) {
  LookAtEnds();  // while Kafka is away, dropping a table that reads it may take for ever
  if (Status stopped = StopLanding(is_mine); !stopped) return stopped;
  if (Status applied = ApplySchema(olap_, WarehouseSchema()); !applied) return applied;
  if (options_.stop_ttl_merges) {
    if (Status stopped = olap_->Execute(kStopTtlMerges, {}, kShortCall); !stopped) return stopped;
  }
  if (Status read = ReadApplied(); !read) return read;
  if (Status read = ReadVersion(); !read) return read;
  known_ = applied_.changes;
  is_placed_ = false;
  anew_.reset();
  commits_.Clear();
  touched_.Forget();
  written_.clear();
  if (Status looked = Look(); !looked) return looked;
  if (Status placed = PlaceGroups(); !placed) return placed;
  if (!is_mine()) return NotMine();
  attached_ = true;
  Log(LogLevel::kInfo, "warehouse_attached", {{"changes", applied_.changes}, {"events", applied_.events.Total()}});
  return {};
}

Status LandingSettler::ReadApplied() {
  const Result<LogPositions> positions = ReadLogPositions(olap_, kShortCall);
  if (!positions) return tl::unexpected<Error>(positions.error());
  return TakePositions(*positions);
}

Status LandingSettler::TakePositions(const LogPositions& positions) {
  if (positions.HasOther(generation_)) {
    return Fail(
        Failure::kConflict, "warehouse_other_generation",
        "The warehouse was made from another data set. Nothing is written to it: give this one an engine of its "
        "own, or drop the database novafeed there.");
  }
  applied_ = positions.Applied();  // also where that is less: an engine that came back empty has nothing
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    landed_[topic] = positions.Find(kLandingTopics[topic]).value_or(EventPoints());
  }
  return {};
}

Status LandingSettler::ReadVersion() {
  Result<OlapRows> rows = olap_->Query(WarehouseSql("greatest_version"), {}, kShortCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  version_ = std::max(version_, rows->UInt64()) + kVersionsOfOthers;
  return {};
}

// The groups go on from where this warehouse ends. One that is new, or older than what its groups remember (a copy that
// was brought back), would otherwise lack what was landed in another one.
Status LandingSettler::PlaceGroups() {
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    std::vector<std::int64_t> places;
    bool is_ahead = false;
    for (std::size_t partition = 0; partition < offsets_[topic].size(); ++partition) {
      const PartitionOffsets& offsets = offsets_[topic][partition];
      places.push_back(std::max(offsets.first, landed_[topic][partition]));
      is_ahead = is_ahead || offsets.committed > places.back();
    }
    if (is_ahead) topics_->Rewind(topic, places);
  }
  return Look();
}

// Another one may land by now.
Status LandingSettler::StopLanding(const IsMine& is_mine) {
  if (!is_mine()) return NotMine();
  return EndKafkaLanding(olap_);
}

Status LandingSettler::GoOn(const IsMine& is_mine) {
  if (!is_mine()) return NotMine();
  return BeginKafkaLanding(olap_, options_.landing);
}

Status LandingSettler::Rewind(const std::optional<EventPoints>& events, bool changes, const IsMine& is_mine) {
  if (Status stopped = StopLanding(is_mine); !stopped) return stopped;
  if (Status looked = Look(); !looked) return looked;
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    if (topic == kEventsTopic ? !events.has_value() : !changes) continue;
    std::vector<std::int64_t> places;
    for (std::size_t partition = 0; partition < offsets_[topic].size(); ++partition) {
      const std::int64_t wanted = topic == kEventsTopic ? std::min((*events)[partition], landed_[topic][partition]) : 0;
      places.push_back(std::max(offsets_[topic][partition].first, wanted));
    }
    topics_->Rewind(topic, places);
  }
  touched_.Forget();
  if (Status looked = Look(); !looked) return looked;
  return GoOn(is_mine);
}

// --------------------------------------------------------------------------------------------------------------- look

Status LandingSettler::Look() {
  offsets_ = topics_->Offsets();
  if (Status fits = CheckOffsets(); !fits) return fits;
  NoteLost();
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    std::int64_t behind = 0;
    for (const PartitionOffsets& offsets : offsets_[topic]) behind += offsets.end - offsets.Landed();
    behind_[topic].Set(static_cast<double>(behind));
  }
  return {};
}

Status LandingSettler::CheckOffsets() const {
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    const std::size_t count = offsets_[topic].size();
    const bool fits = topic == kEventsTopic ? count >= 1 && count <= kMaxEventPartitions : count == 1;
    if (!fits) {
      return Fail(Failure::kConflict, "bad_topic",
                  "The topic " + std::string(kLandingTopics[topic]) + " has " + std::to_string(count) +
                      " partitions; it must have " + (topic == kEventsTopic ? "1 to 16" : "one") + ".");
    }
    for (std::size_t partition = 0; partition < count; ++partition) {
      if (landed_[topic][partition] <= offsets_[topic][partition].end) continue;
      return Fail(Failure::kConflict, "warehouse_ahead",
                  "The warehouse has landed " + Named(topic, partition) + " up to " +
                      std::to_string(landed_[topic][partition]) + ", and the topic ends at " +
                      std::to_string(offsets_[topic][partition].end) +
                      ": it was made anew. Nothing is written: drop the database novafeed of the engine, and it is "
                      "filled from the topics.");
    }
  }
  return {};
}

// What is gone was uncommitted at the look before: nobody will land it.
void LandingSettler::NoteLost() {
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    for (std::size_t partition = 0; partition < offsets_[topic].size(); ++partition) {
      const std::int64_t first = offsets_[topic][partition].first;
      if (first > landed_[topic][partition]) NoteLost(topic, partition, first);
    }
  }
}

void LandingSettler::NoteLost(std::size_t topic, std::size_t partition, std::int64_t first) {
  const std::int64_t landed = std::exchange(landed_[topic][partition], first);
  lost_[topic].Add(static_cast<double>(first - landed));
  Log(LogLevel::kError, "warehouse_messages_lost",
      {{"topic", std::string(kLandingTopics[topic])},
       {"partition", static_cast<std::int64_t>(partition)},
       {"from", landed},
       {"to", first - 1},
       {"reason", "Kafka has forgotten them before the warehouse landed them."}});
  if (topic == kEventsTopic) {
    lost_events_.push_back({partition, landed, first});
  } else if (!anew_) {
    BeginAnew("messages of the topic " + std::string(kLandingTopics[topic]) + " are gone.");
  }
}

// This node's copy of the topic reaches further back than the topic now.
Status LandingSettler::LandLostEvents() {
  while (!lost_events_.empty()) {
    const LostEvents lost = lost_events_.back();
    const Result<std::int64_t> landed = LandKeptEvents(lost.partition, lost.after, lost.through);
    if (!landed) return tl::unexpected<Error>(landed.error());
    Log(*landed < lost.through - lost.after ? LogLevel::kError : LogLevel::kInfo, "warehouse_events_recovered",
        {{"partition", static_cast<std::int64_t>(lost.partition)},
         {"lost", lost.through - lost.after},
         {"recovered", *landed}});
    lost_events_.pop_back();
  }
  return {};
}

Result<std::int64_t> LandingSettler::LandKeptEvents(std::size_t partition, std::int64_t after, std::int64_t through) {
  EventPoints read = events_->End();  // nothing of the others
  read[partition] = std::max(after, events_->HowFarForgotten().through[partition]);
  std::int64_t count = 0;
  LandingBatch batch;
  try {
    while (events_->QuietThrough(read)[partition] < through) {
      const std::vector<LoggedEvent> events = events_->Read(read, kEventsAtOnce);
      for (const LoggedEvent& event : events) {
        Advance(&read, event);
        if (event.partition != partition || event.sequence > through) continue;
        batch.Add(LandingLineOf(event));
        ++count;
      }
      if (Status sent = SendLines(batch); !sent) return tl::unexpected<Error>(std::move(sent.error()));
      batch.Clear();
      if (events.empty()) break;
    }
  } catch (const StoreError& error) {
    if (error.error().code != "log_forgotten") throw;
  }
  return count;
}

std::int64_t LandingSettler::MessagesBehind() const {
  std::int64_t behind = 0;
  for (const auto& partitions : offsets_) {
    for (const PartitionOffsets& offsets : partitions) behind += offsets.end - offsets.Landed();
  }
  return behind;
}

EventPoints LandingSettler::EventsEnd() const {
  EventPoints points;
  const auto& partitions = offsets_[kEventsTopic];
  for (std::size_t i = 0; i < partitions.size(); ++i) points[i] = partitions[i].end;
  return points;
}

Position LandingSettler::landing() const {
  Position position = applied_;
  const auto& partitions = offsets_[kEventsTopic];
  for (std::size_t i = 0; i < partitions.size(); ++i) position.events[i] = partitions[i].Landed();
  return position;
}

// ------------------------------------------------------------------------------------------------------------ changes

// Reads on in the log of commits, for a while. False where it does not know where to read.
bool LandingSettler::ReadCommits() {
  if (anew_ && !MayBePlaced()) return false;
  const SteadyClock::time_point until = SteadyClock::now() + kReadCommitsFor;
  try {
    while (true) {
      const LandingTopics::Commits read = topics_->ReadCommits(known_, kCommitsAtOnce);
      if (!is_placed_) {
        commits_.Add({known_, read.start});
        known_ends_ = read.start;
      }
      is_placed_ = true;
      for (const PlacedCommit& placed : read.commits) {
        commits_.Add(placed);
        known_ = placed.commit;
        known_ends_ = placed.ends;
      }
      through_ = read.through;
      if (read.commits.size() < kCommitsAtOnce || SteadyClock::now() >= until) return true;
    }
  } catch (const StoreError& error) {
    if (error.error().code != "log_forgotten") throw;
    BeginAnew(error.error().detail);
    return false;
  }
}

// The commits cannot be followed from where they were known: a snapshot, or what retention took away. What the topics
// hold is landed nevertheless; what they do not is in the state of the graph, which is landed beside it. A state has
// all of its rows at one place of the log, and these hide older messages that come later, so nothing has to wait for
// it.
//
// The position goes on from that place once the log has passed it, every message before it has surely come (no END
// counts those of a snapshot, nor those that the search finds behind it), and what only the state does not have any
// more is swept out, at a cut.
void LandingSettler::BeginAnew(const std::string& why) {
  Log(LogLevel::kError, "warehouse_changes_begin_anew", {{"from", known_}, {"reason", why}});
  is_placed_ = false;
  anew_ = Anew();
  commits_.Clear();
}

bool LandingSettler::MayBePlaced() {
  if (is_placed_) return true;
  if (anew_->cut == 0) return false;
  if (!anew_->log_passed_cut && topics_->ReadNewestCommit().commit > anew_->cut) {
    anew_->log_passed_cut = SteadyClock::now();
  }
  return anew_->log_passed_cut && SteadyClock::now() - *anew_->log_passed_cut >= options_.rest_before_anew;
}

Status LandingSettler::LandState(const IsMine& is_mine) {
  const auto send = [&](const LandingBatch& batch) { return is_mine() ? SendLines(batch) : Status(NotMine()); };
  const Result<std::int64_t> cut = SendState(graph_, kStateRows, kInsertBytes, send);
  if (!cut) return tl::unexpected<Error>(cut.error());
  anew_->cut = *cut;
  known_ = std::max(known_, *cut);
  states_.Add();
  Log(LogLevel::kInfo, "warehouse_state_landed", {{"changes", *cut}});
  return {};
}

Status LandingSettler::SweepState() {
  const Result<std::uint64_t> ghosts = SweepGhosts(olap_, anew_->cut, clock_->Now());
  if (!ghosts) return tl::unexpected<Error>(ghosts.error());
  ghosts_.Add(static_cast<double>(*ghosts));
  Log(LogLevel::kInfo, "warehouse_ghosts_swept",
      {{"changes", anew_->cut}, {"rows", static_cast<std::int64_t>(*ghosts)}});
  anew_.reset();
  return {};
}

Status LandingSettler::SendLines(const LandingBatch& batch) {
  for (std::size_t table = 0; table < kLandingTables.size(); ++table) {
    if (batch.RowsOf(table) == 0) continue;
    const Status landed = olap_->Insert(LandingLinesOf(table), "LineAsString", batch.LinesOf(table), kInsertCall);
    if (!landed) return landed;
  }
  return {};
}

std::int64_t LandingSettler::ReachedChanges() {
  if (anew_) return applied_.changes;
  ChangeOffsets landed;
  for (std::size_t topic = 0; topic < kChangeTopics; ++topic) {
    landed[topic] = std::max(landed_[topic][0], offsets_[topic][0].Landed());
  }
  return std::max(applied_.changes, commits_.Reached(landed));
}

// ------------------------------------------------------------------------------------------------------------- settle

// In this order, which is what makes it right: parts are listed, then offsets are read, then everything that is touched
// is refreshed, then listed parts are dropped that have done their work (touched_parts.h). What lies before the offsets
// was written whole before they were read, so the refresh has seen it, and the position may say so.
Status LandingSettler::Settle(const IsMine& is_mine) {
  if (Status noted = NoteRestart(); !noted) return noted;
  if (ReadCommits() && anew_) return Cut(is_mine);
  if (anew_ && anew_->cut == 0) {
    if (Status landed = LandState(is_mine); !landed) return landed;
  }
  if (Status landed = LandLostEvents(); !landed) return landed;
  const Result<std::vector<TouchedPart>> listed = ListTouched();
  if (!listed) return tl::unexpected<Error>(listed.error());
  if (Status looked = Look(); !looked) return looked;
  const std::vector<TouchedPart> done = touched_.Note(*listed, offsets_);

  if (!is_mine()) return NotMine();
  const SteadyClock::time_point start = SteadyClock::now();
  const Result<bool> refreshed = RefreshTouched(olap_, ++version_);
  if (!refreshed) return tl::unexpected<Error>(refreshed.error());
  if (*refreshed) refresh_seconds_.Observe(SecondsSince(start));
  if (!is_mine()) return NotMine();  // before anything is thrown away
  if (Status dropped = Drop(done); !dropped) return dropped;
  return WritePositions();
}

Status LandingSettler::NoteRestart() {
  Result<OlapRows> rows = olap_->Query(kReadUptime, {}, kShortCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  const auto started = SteadyClock::now() - std::chrono::seconds(rows->Int64());
  if (started - engine_started_ > kStartIsKnownWithin) {
    touched_.Forget();
    const Result<LogPositions> said = ReadLogPositions(olap_, kShortCall);
    if (!said) return tl::unexpected<Error>(said.error());
    if (said->Applied() != applied_) {  // an older copy of its data
      Detach();
      return Busy("The engine came back with other data than it had");
    }
  }
  engine_started_ = started;
  return {};
}

Result<std::vector<TouchedPart>> LandingSettler::ListTouched() {
  Result<OlapRows> rows = olap_->Query(WarehouseSql("list_touched_parts"), {}, kShortCall);
  if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
  std::vector<TouchedPart> parts;
  while (!rows->AtEnd()) {
    TouchedPart& part = parts.emplace_back();
    part.table = rows->String();
    part.name = rows->String();
    part.max_block = rows->Int64();
  }
  return parts;
}

// A part that has merged since it was listed is not there any more; its rows are in one that is listed next time.
Status LandingSettler::Drop(const std::vector<TouchedPart>& parts) {
  for (const TouchedPart& part : parts) {
    const OlapParams params{{"table", part.table}, {"part", part.name}};
    const Status dropped = olap_->Execute(WarehouseSql("drop_touched_part"), params, kDropCall);
    if (dropped || dropped.error().detail.find("NO_SUCH_DATA_PART") != std::string::npos) continue;
    return dropped;
  }
  return {};
}

Status LandingSettler::WritePositions() {
  Position next{generation_, ReachedChanges(), applied_.events};
  std::array<EventPoints, kLandingTopics.size()> landed = landed_;
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    for (std::size_t i = 0; i < offsets_[topic].size(); ++i) {
      landed[topic][i] = std::max(landed[topic][i], offsets_[topic][i].Landed());
    }
  }
  next.events = Union(next.events, landed[kEventsTopic]);
  std::vector<StreamPoint> points{{std::string(kChangesStream), 0, generation_, next.changes}};
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    for (std::size_t i = 0; i < offsets_[topic].size(); ++i) {
      points.push_back({std::string(kLandingTopics[topic]), i, generation_, landed[topic][i]});
    }
  }
  if (points != written_) {
    if (Status written = WriteLogPositions(olap_, points, ++version_, kShortCall); !written) return written;
    written_ = std::move(points);
  }
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    const Counter& applied = topic == kEventsTopic ? applied_events_ : applied_changes_;
    applied.Add(static_cast<double>(landed[topic].Total() - landed_[topic].Total()));
  }
  applied_ = std::move(next);
  landed_ = landed;
  return {};
}

// ---------------------------------------------------------------------------------------------------------------- cut

Status LandingSettler::Cut(const IsMine& is_mine) {
  if (Status noted = NoteRestart(); !noted) return noted;
  if (Status stopped = StopLanding(is_mine); !stopped) return stopped;
  if (Status looked = Look(); !looked) return looked;
  // What was landed lies before the ends that were looked at: nobody has landed since.
  Status whole = AwaitWholeCommits();
  if (!whole) {
    if (Status begun = GoOn(is_mine); !begun) return begun;
    return whole;
  }
  if (!is_mine()) return NotMine();
  if (Status landed = LandMissing(); !landed) return landed;
  if (Status landed = LandLostEvents(); !landed) return landed;
  if (anew_) {
    if (Status swept = SweepState(); !swept) return swept;
  }
  if (Status settled = SettleTouched(olap_, ++version_); !settled) return settled;
  touched_.Forget();
  return WritePositions();
}

// Until every row that may be landed is of a commit that is known, so that a whole number of commits can be made of it.
Status LandingSettler::AwaitWholeCommits() {
  const SteadyClock::time_point give_up = SteadyClock::now() + options_.cut_within;
  while (true) {
    if (!ReadCommits()) return Busy("Where the changes in the log begin is not known yet");
    bool is_whole = true;
    for (std::size_t topic = 0; topic < kChangeTopics; ++topic) {
      is_whole = is_whole && through_[topic] >= offsets_[topic][0].end;
    }
    if (is_whole) return {};
    if (SteadyClock::now() >= give_up) return Busy("A commit has not come whole");
    std::this_thread::sleep_for(kLookEvery);
  }
}

// Up to where the known commits end; of the events, up to where they ended when landing had ended.
Status LandingSettler::LandMissing() {
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    for (std::size_t partition = 0; partition < offsets_[topic].size(); ++partition) {
      PartitionOffsets& offsets = offsets_[topic][partition];
      if (topic != kEventsTopic) offsets.end = std::max(offsets.end, known_ends_[topic]);
      const std::int64_t from = std::max(landed_[topic][partition], offsets.Landed());
      if (Status landed = LandMessages(topic, partition, from, offsets.end); !landed) return landed;
      offsets.committed = offsets.end;  // as if its group had
    }
  }
  return {};
}

Status LandingSettler::LandMessages(std::size_t topic, std::size_t partition, std::int64_t from, std::int64_t until) {
  if (from >= until) return {};
  std::string rows;
  Status landed;
  const auto flush = [&] {
    if (landed && !rows.empty()) landed = olap_->Insert(kLandingTables[topic], "RowBinary", rows, kInsertCall);
    rows.clear();
  };
  std::int64_t next = from;
  topics_->ReadMessages(topic, partition, from, until, [&](std::int64_t offset, std::string_view value) {
    if (offset == next) ++next;
    AppendRow(value, partition, static_cast<std::uint64_t>(offset), &rows);
    if (rows.size() >= kInsertBytes) flush();
  });
  flush();
  if (landed && next < until)
    return Busy("Messages were forgotten while they were landed");  // the next look names them
  return landed;
}

}  // namespace novafeed
