#include "erasure/eraser.h"

#include <algorithm>
#include <future>
#include <utility>

#include "base/log.h"
#include "graph/commands.h"

namespace novafeed {
namespace {

// "1" from the first step of a purge until its files are scrubbed; "" after it.
constexpr char kScrubbingKey[] = "erasure/scrubbing";

void Require(const Status& status) {
  if (!status) throw StoreError(status.error());
}

}  // namespace

Eraser::Eraser(GraphStore* graph, ChangeFeed* changes, EventLog* events, std::vector<ErasureConsumer*> consumers,
               Metrics* metrics, Purges* purges, std::function<void()> require_upkeep)
    : graph_(graph),
      purges_(purges),
      changes_(changes),
      events_(events),
      consumers_(std::move(consumers)),
      require_upkeep_(std::move(require_upkeep)),
      pending_(metrics->AddGauge("novafeed_erasures_pending", "Erased users of whom files may still hold something.")),
      purged_(metrics->AddCounter("novafeed_purged_total", "Erased users of whom no file holds anything any more.")) {}

void Eraser::Remove() {
  for (const Erasure& erasure : graph_->ReadErasures()) {
    while (!erasure.removed && !stopping_.load() && !RemoveSome(erasure.user)) {
    }
  }
  ReportPending();
}

PurgeReport Eraser::Purge() {
  const std::scoped_lock lock(purge_mutex_);
  Remove();
  PurgeReport report;
  const std::vector<Erasure> erased = Removed();
  if (!erased.empty()) {
    SetScrubbing(true);
    HideEverywhere(erased);
    report.users = static_cast<std::int64_t>(erased.size());
  }
  if (graph_->GetFact(kScrubbingKey) == "1") {
    report.pages = ScrubFiles();
    SetScrubbing(false);
    Log(LogLevel::kInfo, "purged", {{"users", report.users}, {"pages", report.pages}});
  }
  purged_.Add(static_cast<double>(report.users));
  ReportPending();
  return report;
}

bool Eraser::IsPurgeDue(TimeMs erased_by) {
  const std::vector<Erasure> erasures = graph_->ReadErasures();
  const bool is_old = std::any_of(erasures.begin(), erasures.end(),
                                  [erased_by](const Erasure& erasure) { return erasure.erased_at <= erased_by; });
  return is_old || graph_->GetFact(kScrubbingKey) == "1";
}

// Its sequence.
std::int64_t Eraser::Write(GraphStore::Work work) {
  std::promise<Result<std::int64_t>> answer;
  graph_->Write(std::move(work), [&answer](Result<std::int64_t> result) { answer.set_value(std::move(result)); });
  const Result<std::int64_t> result = answer.get_future().get();
  if (!result) throw StoreError(result.error());
  return *result;
}

bool Eraser::RemoveSome(UserId user) {
  bool done = false;
  Write([&done, user](GraphTransaction& tx) { done = RemoveErased(tx, user, kErasedAtOnce); });
  return done;
}

std::vector<Erasure> Eraser::Removed() {
  std::vector<Erasure> erasures = graph_->ReadErasures();
  std::erase_if(erasures, [](const Erasure& erasure) { return !erasure.removed; });
  return erasures;
}

// The order matters: once rows and events name the pseudonyms, nothing new names the users; what names them lies before
// `end`; and it is changed there only when nobody will read it again with the users still in their hands.
void Eraser::HideEverywhere(std::span<const Erasure> erased) {
  CheckMayGoOn();
  graph_->HideInRows(erased);
  CheckMayGoOn();
  events_->Hide(erased);
  // Of a log that others write, the end may lie before what was hidden just now; a write of after that does not.
  const std::int64_t hidden = SetScrubbing(true);
  const Position end{graph_->Generation(), std::max(changes_->End(), hidden), events_->End()};
  for (ErasureConsumer* consumer : consumers_) {
    CheckMayGoOn();
    Require(consumer->Reach(end));
  }
  CheckMayGoOn();
  graph_->HideInChanges(erased, end.changes);
  for (ErasureConsumer* consumer : consumers_) {
    CheckMayGoOn();
    Require(consumer->Hide(erased));
  }
  CheckMayGoOn();
  if (purges_ != nullptr) purges_->NotePurged(erased, end.changes);
  CheckMayGoOn();
  graph_->CloseErasures(erased);
}

std::int64_t Eraser::ScrubFiles() {
  CheckMayGoOn();
  const std::int64_t pages = graph_->Scrub();
  CheckMayGoOn();
  return pages + events_->Scrub();
}

std::int64_t Eraser::SetScrubbing(bool on) {
  return Write([on](GraphTransaction& tx) { tx.SetFact(kScrubbingKey, on ? "1" : ""); });
}

void Eraser::CheckMayGoOn() const {
  if (stopping_.load()) {
    throw StoreError(
        Error{Failure::kUnavailable, "stopping", "The server stops: the purge goes on with its next start."});
  }
  require_upkeep_();
}

void Eraser::ReportPending() {
  pending_.Set(static_cast<double>(graph_->ReadErasures().size()));
}

}  // namespace novafeed
