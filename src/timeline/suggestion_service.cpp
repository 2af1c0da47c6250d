#include "timeline/suggestion_service.h"

#include <algorithm>
#include <optional>
#include <span>

#include "ranking/suggestions.h"
#include "timeline/instants.h"
#include "timeline/stopwatch.h"

namespace novafeed {
namespace {

Metrics::Labels LabelsOf(const SuggestionEngine& engine) {
  return {{"engine", std::string(engine.Name())}};
}

template <class Ranked>
std::vector<UserId> IdsOf(const std::vector<Ranked>& ranked) {
  std::vector<UserId> ids;
  ids.reserve(ranked.size());
  std::ranges::transform(ranked, std::back_inserter(ids), &Ranked::id);
  return ids;
}

// Appends those whom most follow and who are not in yet, without the dismissed, until there are kSuggestAtLeast.
Status FillUp(SuggestionEngine* engine, UserId viewer, UserSet passed_over, std::vector<RankedUser>* ranked) {
  if (ranked->size() >= kSuggestAtLeast) return {};
  for (const RankedUser& user : *ranked) passed_over.insert(user.id);
  const Result<std::vector<FollowedUser>> most = engine->FindMostFollowed(viewer, kSuggestAtLeast + passed_over.size());
  if (!most) return tl::unexpected(most.error());
  for (const FollowedUser& user : *most) {
    if (ranked->size() >= kSuggestAtLeast) break;
    if (!passed_over.contains(user.id)) ranked->push_back({user.id, 0});
  }
  return {};
}

Suggestion Assemble(const RankedUser& user, SuggestionFacts facts) {
  Suggestion suggestion;
  suggestion.user = user.id;
  suggestion.score = user.score;
  suggestion.mutual_followers = facts.mutual_followers;
  suggestion.affinity_score = AffinityScore(facts.interactions);
  suggestion.counts = {facts.followers, facts.following};
  suggestion.mutual = std::move(facts.mutual);
  return suggestion;
}

}  // namespace

SuggestionService::SuggestionService(const Clock* clock, const SuggestionParts& parts, Metrics* metrics)
    : clock_(clock),
      parts_(parts),
      failures_(metrics->AddCounter("novafeed_suggestion_failures_total", "Suggestions that an engine could not give.",
                                    LabelsOf(*parts.engine))),
      seconds_(metrics->AddHistogram("novafeed_suggestion_seconds", "How long finding suggested users took.",
                                     {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3}, LabelsOf(*parts.engine))) {}

Status SuggestionService::Check(const SuggestionRequest& request) const {
  if (request.limit < 1 || request.limit > kMaxSuggestions) {
    return Fail(Failure::kInvalid, "bad_limit", "limit must be from 1 to 100.");
  }
  return CheckAsOf(request.as_of, clock_->Now(), "as_of");
}

Result<SuggestionList> SuggestionService::Suggest(const SuggestionRequest& request) const {
  const TimeMs counters_as_of = parts_.progress->CountersAsOf();  // before they are read
  Result<SuggestionList> list = FindOrMake(request);
  if (list && clock_->Now() - counters_as_of > kStaleAfter) list->degraded.push_back("stale");
  return list;
}

Result<SuggestionList> SuggestionService::FindOrMake(const SuggestionRequest& request) const {
  // Who names an engine or an instant wants to know what that finds.
  const bool may_be_kept = parts_.cache != nullptr && !request.as_of && !request.engine;
  if (may_be_kept) {
    if (std::optional<SuggestionList> list = parts_.cache->Find(request)) {
      list->engine = parts_.engine->Name();
      return *std::move(list);
    }
  }
  Result<KeptSuggestions> made = Prepare(request);
  if (!made) return tl::unexpected<Error>(made.error());
  if (may_be_kept) parts_.cache->Keep(request.viewer, *made);
  return std::move(made->list);
}

Result<KeptSuggestions> SuggestionService::Prepare(const SuggestionRequest& request) const {
  const auto start = std::chrono::steady_clock::now();
  KeptSuggestions kept{parts_.progress->Applied(), static_cast<std::int64_t>(request.limit), {}};
  Result<SuggestionList> list = Make(request);
  seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (!list) {
    failures_.Add();
    return tl::unexpected<Error>(list.error());
  }
  kept.list = *std::move(list);
  return kept;
}

Result<SuggestionList> SuggestionService::Make(const SuggestionRequest& request) const {
  SuggestionList list;
  list.as_of = request.as_of.value_or(clock_->Now());
  list.engine = parts_.engine->Name();
  Stopwatch watch;
  const Result<Neighbourhood> around = parts_.engine->FindNeighbours(request.viewer);
  if (!around) return tl::unexpected(around.error());
  const std::vector<RankedNeighbour> near = RankNeighbours(*around);
  const std::vector<UserId> neighbours = IdsOf(near);
  list.timings.emplace_back("neighbours", watch.Lap());

  const UserSet dismissed(request.dismissed.begin(), request.dismissed.end());
  std::vector<RankedUser> ranked;
  if (!near.empty()) {
    const Result<FollowedUsers> followed = parts_.engine->FindFollowed(request.viewer, neighbours);
    if (!followed) return tl::unexpected(followed.error());
    ranked = RankSuggestions(near, *followed, dismissed, std::max(request.limit, kSuggestAtLeast));
  }
  if (Status filled = FillUp(parts_.engine, request.viewer, dismissed, &ranked); !filled) {
    return tl::unexpected(filled.error());
  }
  if (ranked.size() > request.limit) ranked.resize(request.limit);
  list.timings.emplace_back("candidates", watch.Lap());

  Result<std::vector<SuggestionFacts>> facts =
      parts_.engine->Describe(request.viewer, IdsOf(ranked), neighbours, list.as_of);
  if (!facts) return tl::unexpected(facts.error());
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    list.users.push_back(Assemble(ranked[i], std::move((*facts)[i])));
  }
  list.timings.emplace_back("details", watch.Lap());
  return list;
}

}  // namespace novafeed
