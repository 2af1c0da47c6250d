#include "app/check_desk.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace novafeed {
namespace {

constexpr int kTakeOverTries = 1000;

// Thrown out of what is to be given up.
struct Stopped {};

const char* const kDifferencesHelp = "Keys that differed at the last check.";

}  // namespace

CheckDesk::CheckDesk(CheckSubjects subjects, Upkeep* upkeep, Metrics* metrics)
    : subjects_(std::move(subjects)),
      upkeep_(upkeep),
      last_success_(metrics->AddGauge("novafeed_check_last_success_seconds",
                                      "When a check last found that all agree, in seconds since 1970.")),
      seconds_(metrics->AddGauge("novafeed_check_seconds", "How long the last check took.")),
      schema_differences_(metrics->AddGauge("novafeed_check_differences", kDifferencesHelp, {{"table", "schema"}})) {
  for (std::size_t i = 0; i < kRelationCount; ++i) {
    const std::string name(SpecOf(static_cast<Relation>(i)).name);
    differences_.push_back(metrics->AddGauge("novafeed_check_differences", kDifferencesHelp, {{"table", name}}));
  }
}

Result<CheckOutcome> CheckDesk::Run(CheckOptions options, const CheckProgress& progress) try {
  options.tick = [this] {
    if (stopping_.load()) throw Stopped();
    upkeep_->RequireHeld();
  };
  const std::scoped_lock lock(*upkeep_);
  options.tick();
  const auto start = std::chrono::steady_clock::now();
  Result<CheckOutcome> outcome = RunCheck(subjects_, options, progress);
  if (!outcome) return outcome;
  seconds_.Set(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  Count(*outcome);
  return outcome;
} catch (const Stopped&) {
  return Fail(Failure::kUnavailable, "stopping", "The server is being stopped.");
}

Result<std::string> CheckDesk::Answer(bool repair) {
  CheckOptions options;
  options.repair = repair;
  const Result<CheckOutcome> outcome = Run(options, [](std::string_view) {});
  if (!outcome) return tl::unexpected<Error>(outcome.error());
  return RenderJson(*outcome);
}

void CheckDesk::RunByItself() {
  const Result<CheckOutcome> outcome = Run({}, [](std::string_view) {});
  if (!outcome) {
    Log(LogLevel::kWarn, "check_failed", {{"code", outcome.error().code}, {"reason", outcome.error().detail}});
  } else if (!outcome->Agrees()) {
    Log(LogLevel::kError, "check_differs",
        {{"differences", outcome->report.Differences()}, {"what_to_do", "Run `novafeed check` for the keys."}});
  }
}

void CheckDesk::Count(const CheckOutcome& outcome) {
  const CheckReport& report = outcome.after.empty() ? outcome.report : outcome.after.back();
  schema_differences_.Set(static_cast<double>(report.schema.size()));
  for (const RelationReport& relation : report.relations) {
    const std::int64_t count = relation.Differences() + (relation.failure.empty() ? 0 : 1);
    differences_.at(NumberOf(relation.relation)).Set(static_cast<double>(count));
  }
  if (report.Agrees()) last_success_.Set(static_cast<double>(subjects_.clock->Now()) / kMsPerSecond);
}

Status RebuildIndex(const BootSources& sources, TimeMs now, FeedIndex* live,
                    const std::function<bool()>& is_stopping) try {
  const BootProgress progress = [&is_stopping](std::string_view, std::int64_t) {
    if (is_stopping()) throw Stopped();
  };
  const BootedIndex fresh = BootIndex(sources, "", now, progress);
  for (int tries = 0; tries < kTakeOverTries; ++tries) {
    if (live->TakeOver(fresh.index.get())) return {};
    CatchUp(sources, fresh.index.get(), progress);
  }
  return Fail(Failure::kUnavailable, "index_behind",
              "The log grows faster than the new index takes it in: try again under less load.", 1000);
} catch (const Stopped&) {
  return Fail(Failure::kUnavailable, "stopping", "The server is being stopped.");
}

}  // namespace novafeed
