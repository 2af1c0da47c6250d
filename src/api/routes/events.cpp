// POST /api/v1/events and POST /events: behaviour events, durable before they are answered.
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "api/event_batch.h"
#include "api/parameters.h"
#include "api/render.h"
#include "api/routes/routes.h"
#include "api/storage.h"
#include "graph/commands.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;
using Reply = Result<HttpResponse>;

// What an event carries of its post.
struct PostFacts {
  UserId author;
  TimeMs created_at = 0;
};

// The users and posts that a batch may name: those of the index, which answers at once, and of the others those that
// the graph has (written a moment ago, while the index is behind).
struct Known {
  std::unordered_set<UserId, StrongIdHash<UserId>> users;
  std::unordered_map<PostId, PostFacts, StrongIdHash<PostId>> posts;
};

struct Unseen {
  std::vector<UserId> users;
  std::vector<PostId> posts;
  bool empty() const { return users.empty() && posts.empty(); }
};

Known LookUpInIndex(const FeedIndex& index, const std::vector<EventItem>& items, Unseen* unseen) {
  Known known;
  for (const EventItem& item : items) {
    if (item.rejected()) continue;
    const UserId user = item.event.user;
    if (!known.users.contains(user)) {
      if (index.KnowsUser(user)) {
        known.users.insert(user);
      } else {
        unseen->users.push_back(user);
      }
    }
    const PostId post = item.event.post;
    if (known.posts.contains(post)) continue;
    if (const std::optional<IndexedPost> found = index.FindPost(post)) {
      known.posts.emplace(post, PostFacts{found->author, found->created_at});
    } else {
      unseen->posts.push_back(post);
    }
  }
  return known;
}

Known LookUpInGraph(GraphStore& graph, const Unseen& unseen) {
  Known known;
  for (const UserId user : unseen.users) {
    if (!known.users.contains(user) && graph.GetUser(user)) known.users.insert(user);
  }
  for (const PostId id : unseen.posts) {
    if (known.posts.contains(id)) continue;
    if (const std::optional<Post> post = graph.GetPost(id)) {
      known.posts.emplace(id, PostFacts{post->author, post->created_at});
    }
  }
  return known;
}

// Fills in what the events carry of their posts; rejects those of users and posts that are not known. Deleted posts
// are known: events on them are accepted.
void Complete(const Known& known, std::vector<EventItem>* items) {
  for (EventItem& item : *items) {
    if (item.rejected()) continue;
    const auto post = known.posts.find(item.event.post);
    if (!known.users.contains(item.event.user)) {
      item.Reject("unknown_user", "user_id");
    } else if (post == known.posts.end()) {
      item.Reject("unknown_post", "post_id");
    } else {
      item.event.post_author = post->second.author;
      item.event.post_created_at = post->second.created_at;
    }
  }
}

asio::awaitable<Status> LookUp(RequestContext* context, std::vector<EventItem>* items) {
  Unseen unseen;
  Known known = LookUpInIndex(*context->live().index, *items, &unseen);
  if (!unseen.empty()) {
    Query<Known> query = [unseen = std::move(unseen)](GraphStore& graph) -> Result<Known> {
      return LookUpInGraph(graph, unseen);
    };
    Result<Known> more = co_await QueryGraph(&context->dependencies(), std::move(query));
    if (!more) co_return tl::unexpected(more.error());
    known.users.merge(more->users);
    known.posts.merge(more->posts);
  }
  Complete(known, items);
  co_return Status();
}

bool IsLike(const Event& event) {
  return event.type == EventType::kLike || event.type == EventType::kUnlike;
}

// The events that are not rejected and (not) likes, with their places in the batch.
struct Share {
  std::vector<std::size_t> places;
  std::vector<Event> events;
};

Share Select(const std::vector<EventItem>& items, bool likes) {
  Share share;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].rejected() || IsLike(items[i].event) != likes) continue;
    share.places.push_back(i);
    share.events.push_back(items[i].event);
  }
  return share;
}

asio::awaitable<Status> LogEvents(RequestContext* context, std::vector<EventItem>* items) {
  Share share = Select(*items, false);
  if (share.events.empty()) co_return Status();
  const Result<EventLog::Appended> appended = co_await Append(context->dependencies().events, std::move(share.events));
  if (!appended) co_return tl::unexpected(appended.error());
  context->NoteEvents(appended->end);
  for (std::size_t i = 0; i < share.places.size(); ++i) {
    if (appended->duplicate[i]) (*items)[share.places[i]].status = EventStatus::kDuplicate;
  }
  co_return Status();
}

// An error of ApplyLikeEvent as the code of a rejected item.
std::string_view RejectionCode(const Error& error) {
  return error.code == "unknown_user" ? "unknown_user" : "unknown_post";
}

// A like or unlike that comes as an event is the same idempotent write (contract, section 2).
asio::awaitable<Status> WriteLikes(RequestContext* context, std::vector<EventItem>* items) {
  Share share = Select(*items, true);
  if (share.events.empty()) co_return Status();
  using Outcomes = std::vector<Result<bool>>;
  Command<Outcomes> apply = [events = std::move(share.events)](GraphTransaction& tx) -> Result<Outcomes> {
    Outcomes outcomes;
    outcomes.reserve(events.size());
    for (const Event& event : events) outcomes.push_back(ApplyLikeEvent(tx, event));
    return outcomes;
  };
  const Result<Outcomes> outcomes = co_await WriteGraph(context, std::move(apply));
  if (!outcomes) co_return tl::unexpected(outcomes.error());
  for (std::size_t i = 0; i < share.places.size(); ++i) {
    const Result<bool>& is_new = (*outcomes)[i];
    EventItem& item = (*items)[share.places[i]];
    if (!is_new) {
      item.Reject(RejectionCode(is_new.error()));
    } else if (!*is_new) {
      item.status = EventStatus::kDuplicate;
    }
  }
  co_return Status();
}

asio::awaitable<Reply> PostEvents(RequestContext* context, PathParams) {
  const Result<boost::json::value> body = JsonBody(context->request());
  if (!body) co_return tl::unexpected(body.error());
  const EventRules rules{context->actor(), SpeaksForPlatform(context->caller()), context->dependencies().clock->Now()};
  Result<std::vector<EventItem>> items = ParseEventBatch(*body, rules);
  if (!items) co_return tl::unexpected(items.error());

  // Where a store refuses, the whole answer is that error: what was kept until then is a duplicate of the next try.
  for (const auto step : {LookUp, LogEvents, WriteLikes}) {
    const Status done = co_await step(context, &*items);
    if (!done) co_return tl::unexpected(done.error());
  }
  co_await AwaitWritten(context);
  co_return JsonAnswer(202, RenderEventResults(*items));
}

}  // namespace

std::vector<ApiRoute> EventRoutes() {
  return {{Method::kPost, "/api/v1/events", PostEvents}, {Method::kPost, "/events", PostEvents}};
}

}  // namespace novafeed
