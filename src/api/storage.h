// The coroutines between a route and what it stands on: waiting for positions, reading and writing the graph.
// What they start may outlive the coroutine (the server stops), so nothing of it refers to the coroutine's frame.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "api/context.h"
#include "base/result.h"
#include "graph/store.h"
#include "runtime/await.h"
#include "stream/event_log.h"
#include "stream/log_progress.h"
#include "stream/position.h"

namespace novafeed {

// How long an answer waits for the index to catch up (contract, sections 2 and 5).
inline constexpr std::int64_t kPositionWaitMs = 1000;

// A write as a route means it: over one open transaction, with the rules of graph/commands.h. Where several processes
// share the store, it may be run again.
template <class T>
using Command = std::function<Result<T>(GraphTransaction&)>;
// A blocking read.
template <class T>
using Query = std::function<Result<T>(GraphStore&)>;

// Waits until `progress`, which outlives the server, has reached the position; notes it where it did not in time.
boost::asio::awaitable<void> AwaitPosition(RequestContext* context, LogProgress* progress, Position wanted);
// Waits until the index has reached what the request carries.
boost::asio::awaitable<void> AwaitCarried(RequestContext* context);
// Waits until this node's next answer shows what the request has written.
boost::asio::awaitable<void> AwaitWritten(RequestContext* context);

// The sequence of the last change that is durable.
boost::asio::awaitable<Result<std::int64_t>> Commit(GraphStore* graph, GraphStore::Work work);
boost::asio::awaitable<Result<EventLog::Appended>> Append(EventLog* log, std::vector<Event> events);

// Runs the command; noted in the context once it is durable. Does not wait for the index.
template <class T>
boost::asio::awaitable<Result<T>> WriteGraph(RequestContext* context, Command<T> command) {
  auto outcome = std::make_shared<std::optional<Result<T>>>();
  GraphStore::Work work = [outcome, command = std::move(command)](GraphTransaction& tx) { *outcome = command(tx); };
  const Result<std::int64_t> committed = co_await Commit(context->dependencies().graph, std::move(work));
  if (!committed) co_return tl::unexpected(committed.error());
  if (**outcome) context->NoteChanges(*committed);
  co_return std::move(**outcome);
}

// WriteGraph, and the wait that makes the next answer show it: what a route that writes one thing needs.
template <class T>
boost::asio::awaitable<Result<T>> ChangeGraph(RequestContext* context, Command<T> command) {
  Result<T> done = co_await WriteGraph(context, std::move(command));
  if (done) co_await AwaitWritten(context);
  co_return done;
}

// Runs the query in the readers' pool, without waiting for any position.
template <class T>
boost::asio::awaitable<Result<T>> QueryGraph(const ApiDependencies* dependencies, Query<T> query) {
  std::function<Result<T>()> call = [graph = dependencies->graph, query = std::move(query)] { return query(*graph); };
  co_return co_await AwaitResult(dependencies->readers, std::move(call));
}

// Waits for what the request carries (the counters in the answer come from the index), then runs the query.
template <class T>
boost::asio::awaitable<Result<T>> ReadGraph(RequestContext* context, Query<T> query) {
  co_await AwaitCarried(context);
  co_return co_await QueryGraph(&context->dependencies(), std::move(query));
}

}  // namespace novafeed
