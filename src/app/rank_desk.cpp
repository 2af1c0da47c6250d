#include "app/rank_desk.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json.h"
#include "stream/position.h"
#include "timeline/instants.h"

namespace novafeed {
namespace {

void RenderItem(JsonWriter* json, std::int64_t rank, const RankedPost& post,
                const std::optional<std::string>& external_id) {
  const Candidate& candidate = post.candidate;
  json->BeginObject().Key("rank").Int(rank).Key("post_id").String(candidate.id.ToString());
  if (external_id) json->Key("external_id").String(*external_id);
  json->Key("author_id").String(candidate.author.ToString()).Key("created_at").Int(candidate.created_at);
  json->Key("source").String(SourceName(candidate.source)).Key("score").Double(post.parts.score);
  json->Key("freshness").Double(post.parts.freshness).Key("engagement").Double(post.parts.engagement);
  json->Key("affinity").Double(post.parts.affinity).Key("age_hours").Double(post.parts.age_hours);
  json->Key("likes").Int(candidate.counters.likes).Key("comments").Int(candidate.counters.comments);
  json->Key("shares").Int(candidate.counters.shares).Key("impressions").Int(candidate.counters.impressions);
  json->Key("interactions").Int(candidate.interactions).EndObject();
}

// The external ids of the ranked posts: from `held` where it holds their content, else from the graph.
std::vector<std::optional<std::string>> ExternalIds(const Ranking& ranking, const PostContents& held,
                                                    GraphStore* graph) {
  std::vector<PostId> ids;
  ids.reserve(ranking.posts.size());
  for (const RankedPost& post : ranking.posts) ids.push_back(post.candidate.id);

  std::vector<std::optional<std::string>> external_ids;
  external_ids.reserve(ids.size());
  std::vector<std::optional<PostContent>> contents = held.Of(ids);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (contents[i] && contents[i]->held) {
      external_ids.push_back(std::move(contents[i]->external_id));
    } else {
      std::optional<Post> post = graph->GetPost(ids[i]);
      external_ids.push_back(post ? std::move(post->external_id) : std::nullopt);
    }
  }
  return external_ids;
}

std::string Render(UserId viewer, const FullRanking& full, std::string_view engine,
                   const std::vector<std::optional<std::string>>& external_ids) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject().Key("user_id").String(viewer.ToString());
  json.Key("as_of").Int(full.as_of).Key("trending_as_of").Int(full.trending_as_of);
  json.Key("engine").String(engine).Key("profile").String(kProfile);
  json.Key("position").String(EncodePosition(full.position)).Key("items").BeginArray();
  for (std::size_t i = 0; i < full.ranking.posts.size(); ++i) {
    RenderItem(&json, static_cast<std::int64_t>(i) + 1, full.ranking.posts[i], external_ids[i]);
  }
  json.EndArray().EndObject();
  return text;
}

// The oldest instant that the request's windows hang on.
TimeMs OldestInstant(const RankRequest& request, TimeMs now) {
  const TimeMs as_of = request.as_of.value_or(now);
  return std::min(as_of, request.trending_as_of.value_or(as_of));
}

}  // namespace

Result<RankEngine> ParseRankEngine(std::string_view name) {
  if (name == "index") return RankEngine::kIndex;
  if (name == "warehouse") return RankEngine::kWarehouse;
  return Fail(Failure::kInvalid, "bad_engine", "engine is index or warehouse, not \"" + std::string(name) + "\".");
}

RankDesk::RankDesk(BootSources sources, GraphStore* graph, IndexStack* live, RankWarehouse warehouse,
                   const Clock* clock, Metrics* metrics)
    : sources_(std::move(sources)),
      graph_(graph),
      live_(live),
      warehouse_(warehouse),
      graph_contents_(graph),
      clock_(clock),
      metrics_(metrics) {}

bool RankDesk::IsLive(const RankRequest& request) const {
  if (request.engine == RankEngine::kWarehouse) return true;
  // Windows only cut off what is old: an index is right for every instant after the oldest that it is kept for.
  return live_ != nullptr && OldestInstant(request, clock_->Now()) >= live_->index->anchor() - kMaxAsOfAge;
}

Result<std::string> RankDesk::Rank(const RankRequest& request) {
  if (request.engine == RankEngine::kWarehouse) {
    if (warehouse_.ranker == nullptr) {
      return Fail(Failure::kInvalid, "bad_engine", "There is no warehouse here: set warehouse.engine to chdb.");
    }
    const TimeMs now = clock_->Now();
    if (warehouse_.drops_old_rows && OldestInstant(request, now) < now - kWarehouseReach) {
      return Fail(Failure::kUnprocessable, "out_of_reach",
                  "The warehouse drops rows when they have outlived their windows, so it ranks the last two days only: "
                  "ask for engine index, or keep all with olap.ttl = false.");
    }
    return RankWith(*warehouse_.ranker, graph_contents_, request);
  }
  if (IsLive(request)) return RankWith(live_->ranker, live_->contents, request);
  const std::scoped_lock lock(mutex_);
  const IndexStack* built = BuiltFor(OldestInstant(request, clock_->Now()));
  return RankWith(built->ranker, built->contents, request);
}

Status RankDesk::Reach(const Position&) {
  const std::scoped_lock lock(mutex_);
  built_.reset();
  return {};
}

Result<std::string> RankDesk::RankWith(const Ranker& ranker, const PostContents& contents, const RankRequest& request) {
  const TimeMs as_of = request.as_of.value_or(clock_->Now());
  const Result<FullRanking> full = ranker.RankAt(request.viewer, as_of, request.trending_as_of);
  if (!full) return tl::unexpected<Error>(full.error());
  if (!full->failed.empty()) {
    return Fail(Failure::kUnavailable, "source_failed",
                "The source \"" + std::string(full->failed.front()) + "\" did not answer in time: ask again.", 1000);
  }
  return Render(request.viewer, *full, ranker.engine(), ExternalIds(full->ranking, contents, graph_));
}

IndexStack* RankDesk::BuiltFor(TimeMs oldest) {
  const BootProgress quiet = [](std::string_view, std::int64_t) {};
  if (built_ && built_->index->anchor() == oldest) {
    CatchUp(sources_, built_->index.get(), quiet);
    return built_.get();
  }
  built_.reset();  // two at a time would need twice the memory
  BootedIndex booted = BootIndex(sources_, "", oldest, quiet);
  built_ = std::make_unique<IndexStack>(std::move(booted.index), clock_, metrics_);
  return built_.get();
}

}  // namespace novafeed
