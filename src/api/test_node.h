// For tests: the API over stores in memory and a real index, in one process and without a network. The clock is held.
#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "access/rate_limit.h"
#include "access/tokens.h"
#include "api/service.h"
#include "cache/memory_cache.h"
#include "candidates/index_engine.h"
#include "candidates/index_suggestions.h"
#include "capture/memory_graph.h"
#include "index/applier.h"
#include "index/boot.h"
#include "runtime/blocking_pool.h"
#include "stream/memory_event_log.h"
#include "timeline/feed_service.h"
#include "timeline/hot_posts.h"
#include "timeline/trending_board.h"
#include "timeline/trending_service.h"

namespace novafeed::testing {

inline constexpr TimeMs kTestNow = 1'790'000'000'000;

// An answer with its body parsed.
struct Answer {
  int status = 0;
  boost::json::value json;  // null where there is no body
  Headers headers;

  std::string Header(std::string_view name) const {
    for (const auto& [candidate, value] : headers) {
      if (candidate == name) return value;
    }
    return "";
  }
  // Of a problem; empty where it is none.
  std::string code() const {
    const boost::json::object* object = json.if_object();
    const boost::json::value* code = object == nullptr ? nullptr : object->if_contains("code");
    return code == nullptr ? "" : std::string(code->as_string());
  }
};

// A graph whose writer can be made to fail, as on a full disk, or that can be made to be away, as a database elsewhere.
class RefusingGraph final : public MemoryGraph {
 public:
  using MemoryGraph::MemoryGraph;

  void Write(Work work, Done done) override {
    if (refusal_) {
      done(tl::unexpected<Error>(*refusal_));
    } else {
      MemoryGraph::Write(std::move(work), std::move(done));
    }
  }
  bool IsRetired(RetiredKind kind, Uuid id) override {
    FailIfAway();
    return MemoryGraph::IsRetired(kind, id);
  }
  std::optional<User> GetUser(UserId user) override {
    FailIfAway();
    return MemoryGraph::GetUser(user);
  }
  void RefuseWrites(Error error) { refusal_ = std::move(error); }
  void SetAway(bool away) { away_ = away; }

 private:
  void FailIfAway() const {
    if (away_) throw StoreError(Error{Failure::kUnavailable, "database_unavailable", "Nobody answers.", 1000});
  }

  std::optional<Error> refusal_;
  std::atomic<bool> away_{false};
};

// Contents of posts, read from a graph; none where they are deleted.
class TestContents final : public PostContents {
 public:
  explicit TestContents(GraphStore* graph) : graph_(graph) {}
  std::vector<std::optional<PostContent>> Of(std::span<const PostId> posts) const override {
    std::vector<std::optional<PostContent>> contents;
    for (const PostId& id : posts) {
      const std::optional<Post> post = graph_->GetPost(id);
      if (post && !post->deleted_at) {
        contents.push_back(PostContent{id, post->external_id, post->text, true});
      } else {
        contents.emplace_back();
      }
    }
    return contents;
  }

 private:
  GraphStore* graph_;
};

class TestNode {
 public:
  explicit TestNode(const ApiRateRules& rates = {}) : rates_(rates), api_(MakeDependencies()) {}

  // What app/ does after the stores are open.
  void Boot() {
    BootSources sources{&graph_, &events_, graph_.Generation()};
    index_ = BootIndex(sources, "", clock_.Now(), [](std::string_view, std::int64_t) {}).index;
    applier_ = std::make_unique<IndexApplier>(&clock_, index_.get(), &graph_, &events_, &metrics_);
    engine_ = std::make_unique<IndexEngine>(index_.get());
    trending_ = std::make_unique<TrendingBoard>(&clock_, engine_.get(), &metrics_);
    contents_ = std::make_unique<IndexContents>(index_.get());
    ranker_ = std::make_unique<Ranker>(engine_.get(), trending_.get(), &metrics_);
    const FeedParts parts{engine_.get(), ranker_.get(), contents_.get(), applier_.get(), false, nullptr};
    feed_ =
        std::make_unique<FeedService>(&clock_, parts, CursorCodec(keys_.cursor_key, graph_.Generation()), &metrics_);
    suggestion_engine_ = std::make_unique<IndexSuggestions>(index_.get());
    suggestions_ = std::make_unique<SuggestionService>(
        &clock_, SuggestionParts{suggestion_engine_.get(), applier_.get(), nullptr}, &metrics_);
    services_ = {feed_.get(), suggestions_.get()};
    applier_->Start();
    engines_.OpenIndex(&services_);
    const auto engines = [this] { return std::vector<CandidateEngine*>{engine_.get()}; };
    hot_posts_ = std::make_unique<HotPosts>(&clock_, &cache_, engines, &metrics_);
    trending_pages_ = std::make_unique<TrendingService>(trending_.get(), hot_posts_.get(), index_.get());
    api_.Open(LiveIndex{index_.get(), applier_.get(), trending_pages_.get()});
  }

  // An engine in the warehouse's place; both outlive the node.
  void OpenWarehouse(CandidateEngine* engine, LogProgress* progress) {
    warehouse_trending_ = std::make_unique<TrendingBoard>(&clock_, engine, &metrics_);
    warehouse_ranker_ = std::make_unique<Ranker>(engine, warehouse_trending_.get(), &metrics_);
    const FeedParts parts{engine, warehouse_ranker_.get(), &graph_contents_, progress, true, &pages_};
    warehouse_feed_ =
        std::make_unique<FeedService>(&clock_, parts, CursorCodec(keys_.cursor_key, graph_.Generation()), &metrics_);
    warehouse_services_ = {warehouse_feed_.get(), nullptr};
    engines_.OpenWarehouse(&warehouse_services_);
  }
  FeedEngines& engines() { return engines_; }
  GraphStore& graph() { return graph_; }

  std::string Token(std::string_view user, Scope scope = Scope::kUser) const {
    return SignToken(keys_, IdOf(user), scope, clock_.Now(), kMsPerHour);
  }
  static UserId IdOf(std::string_view user) { return UserId{IdFromExternal(IdKind::kUser, user)}; }

  // `target`: path and query. A body is sent as JSON.
  Answer Send(Method method, std::string_view target, const std::string& token, const std::string& body = "",
              Headers headers = {}) {
    HttpRequest request;
    request.method = method;
    const std::size_t question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string_view::npos) request.query = target.substr(question + 1);
    request.headers = std::move(headers);
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
    request.remote_address = "192.0.2.1";
    request.request_id = "test";

    boost::asio::io_context io;
    std::future<HttpResponse> pending = boost::asio::co_spawn(io, api_.handler()(request), boost::asio::use_future);
    io.run();
    HttpResponse response = pending.get();
    Answer answer{response.status, nullptr, std::move(response.headers)};
    if (!response.body.empty()) answer.json = boost::json::parse(response.body);
    return answer;
  }

  // Runs the index's writer until it has let go of the post's text (its windows have moved on).
  void AwaitTextDropped(PostId post) {
    while (index_->ContentOf(std::span(&post, 1)).at(0)->held) {
      applier_->Wake();
      std::this_thread::yield();
    }
  }

  // Whether the metrics have this line.
  bool Shows(const std::string& metric) const { return metrics_.Render().find(metric + "\n") != std::string::npos; }
  ManualClock& clock() { return clock_; }
  void RefuseWrites(Error error) { graph_.RefuseWrites(std::move(error)); }
  void SetGraphAway(bool away) { graph_.SetAway(away); }
  MemoryEventLog& events() { return events_; }
  std::string generation() { return graph_.Generation(); }
  Position applied() const { return applier_->Applied(); }

 private:
  ApiDependencies MakeDependencies() {
    ApiDependencies dependencies;
    dependencies.clock = &clock_;
    dependencies.keys = &keys_;
    dependencies.rate_limiter = &limiter_;
    dependencies.metrics = &metrics_;
    dependencies.graph = &graph_;
    dependencies.events = &events_;
    dependencies.readers = &readers_;
    dependencies.warehouse = &warehouse_;
    dependencies.engines = &engines_;
    dependencies.own_follows = &own_follows_;
    dependencies.rates = rates_;
    return dependencies;
  }

  const ApiRateRules rates_;
  ManualClock clock_{kTestNow};
  Metrics metrics_;
  const KeyRing keys_{{{"k", std::string(32, 'k')}}, std::string(32, 'c')};
  RateLimiter limiter_{1000};
  RefusingGraph graph_{&clock_};
  MemoryEventLog events_{&clock_};
  BlockingPool readers_{"reader", 2, 100, &metrics_};
  BlockingPool warehouse_{"warehouse", 2, 100, &metrics_};
  FeedEngines engines_;
  TestContents graph_contents_{&graph_};
  std::unique_ptr<TrendingBoard> warehouse_trending_;
  MemoryCache cache_{&clock_, 1UL << 20, &metrics_};
  OwnFollows own_follows_{&cache_, graph_.Generation()};
  PageCache pages_{&clock_, &cache_, &own_follows_, [this] { return engines_.Live(); }, &metrics_};
  std::unique_ptr<HotPosts> hot_posts_;
  std::unique_ptr<TrendingService> trending_pages_;
  std::unique_ptr<Ranker> warehouse_ranker_;
  std::unique_ptr<FeedService> warehouse_feed_;
  ApiService api_;
  std::unique_ptr<FeedIndex> index_;
  std::unique_ptr<IndexEngine> engine_;
  std::unique_ptr<TrendingBoard> trending_;
  std::unique_ptr<Ranker> ranker_;
  std::unique_ptr<IndexContents> contents_;
  std::unique_ptr<FeedService> feed_;
  std::unique_ptr<IndexSuggestions> suggestion_engine_;
  std::unique_ptr<SuggestionService> suggestions_;
  EngineServices services_;
  EngineServices warehouse_services_;
  std::unique_ptr<IndexApplier> applier_;
};

}  // namespace novafeed::testing
