#include "api/storage.h"

namespace novafeed {

namespace asio = boost::asio;

asio::awaitable<void> AwaitPosition(RequestContext* context, LogProgress* progress, Position wanted) {
  if (Reached(wanted, progress->Applied())) co_return;
  std::function<void(std::function<void(bool)>)> start = [progress, wanted](std::function<void(bool)> resume) {
    progress->WaitFor(wanted, kPositionWaitMs, std::move(resume));
  };
  const bool reached = co_await AwaitCallback<bool>(std::move(start));
  if (!reached) context->NoteBehind();
}

asio::awaitable<void> AwaitCarried(RequestContext* context) {
  return AwaitPosition(context, context->live().applier, context->carried());
}

asio::awaitable<void> AwaitWritten(RequestContext* context) {
  return AwaitPosition(context, context->live().applier, context->written());
}

asio::awaitable<Result<std::int64_t>> Commit(GraphStore* graph, GraphStore::Work work) {
  std::function<void(GraphStore::Done)> start = [graph, work = std::move(work)](GraphStore::Done done) {
    graph->Write(work, std::move(done));
  };
  co_return co_await AwaitCallback<Result<std::int64_t>>(std::move(start));
}

asio::awaitable<Result<EventLog::Appended>> Append(EventLog* log, std::vector<Event> events) {
  std::function<void(EventLog::Done)> start = [log, events = std::move(events)](EventLog::Done done) {
    log->Append(events, std::move(done));
  };
  co_return co_await AwaitCallback<Result<EventLog::Appended>>(std::move(start));
}

}  // namespace novafeed
