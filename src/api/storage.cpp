#include "api/storage.h"

namespace novafeed {

namespace asio = boost::asio;

asio::awaitable<bool> ReachPosition(const LiveFeed* live, Position wanted) {
  if (Reached(wanted, live->index->position())) co_return true;
  IndexApplier* applier = live->applier;
  std::function<void(std::function<void(bool)>)> start = [applier, wanted](std::function<void(bool)> resume) {
    applier->WaitFor(wanted, kPositionWaitMs, std::move(resume));
  };
  co_return co_await AwaitCallback<bool>(std::move(start));
}

asio::awaitable<void> AwaitCarried(RequestContext* context) {
  const bool reached = co_await ReachPosition(&context->live(), context->carried());
  if (!reached) context->NoteBehind();
}

asio::awaitable<void> AwaitWritten(RequestContext* context) {
  const bool reached = co_await ReachPosition(&context->live(), context->written());
  if (!reached) context->NoteBehind();
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
