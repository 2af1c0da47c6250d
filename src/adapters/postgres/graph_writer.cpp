#include "adapters/postgres/graph_writer.h"

#include <exception>
#include <utility>

#include "adapters/postgres/graph_transaction.h"
#include "adapters/postgres/retries.h"

namespace novafeed::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Metrics that every graph store has (adapters/sqlite has the same).
constexpr const char* kStore = "graph";
const Metrics::Labels kLabels = {{"store", kStore}};

}  // namespace

GraphWriter::Instruments GraphWriter::MakeInstruments(Metrics* metrics) {
  return {
      metrics->AddHistogram("novafeed_store_commit_seconds",
                            "Time of one durable commit, the works before it included.",
                            {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5}, kLabels),
      metrics->AddGauge("novafeed_store_queue_length", "Works that wait for the writer.", kLabels),
      metrics->AddCounter("novafeed_store_retries_total",
                          "Works that were begun again: others had changed the same rows, or the connection was lost.",
                          kLabels),
  };
}

GraphWriter::GraphWriter(ConnectionPool* connections, const Clock* clock, Options options, Metrics* metrics)
    : connections_(connections),
      clock_(clock),
      options_(options),
      instruments_(MakeInstruments(metrics)),
      report_(kStore, metrics) {
  threads_.reserve(options_.threads);
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Run(); });
}

GraphWriter::~GraphWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void GraphWriter::Submit(GraphStore::Work work, GraphStore::Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < options_.max_queued) {
      queue_.push_back({std::move(work), std::move(done), SteadyClock::now()});
      instruments_.queue_length.Set(static_cast<double>(queue_.size()));
      wake_.notify_one();
      return;
    }
  }
  done(tl::unexpected(Refuse("More writes are waiting than the database can take: try again.")));
}

void GraphWriter::Run() {
  for (Task task; TakeTask(&task);) {
    const bool is_late = SteadyClock::now() - task.submitted > options_.patience;
    Result<std::int64_t> result =
        is_late ? Result<std::int64_t>(
                      tl::unexpected(Refuse("A write waited too long for its turn at the database: try again.")))
                : Perform(task.work);
    task.done(std::move(result));
    task = {};  // what the work holds goes now
  }
}

bool GraphWriter::TakeTask(Task* task) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (queue_.empty()) return false;
  *task = std::move(queue_.front());
  queue_.pop_front();
  instruments_.queue_length.Set(static_cast<double>(queue_.size()));
  return true;
}

Result<std::int64_t> GraphWriter::Perform(const GraphStore::Work& work) {
  const SteadyClock::time_point start = SteadyClock::now();
  std::int64_t position = 0;
  try {
    RunWithRetries([&] { position = PerformOnce(work); }, [this] { instruments_.retries.Add(); });
  } catch (...) {
    const Error error = WriteErrorOf(std::current_exception());
    report_.RolledBack(error, 1);
    return tl::unexpected(error);
  }
  instruments_.commit_seconds.Observe(std::chrono::duration<double>(SteadyClock::now() - start).count());
  return position;
}

std::int64_t GraphWriter::PerformOnce(const GraphStore::Work& work) {
  const ConnectionPool::Lease connection = connections_->Borrow();
  PostgresTransaction transaction(&*connection, clock_->Now());
  try {
    work(transaction);
    return transaction.Commit();
  } catch (...) {
    transaction.RollBack();
    throw;
  }
}

Error GraphWriter::Refuse(const std::string& detail) {
  const Error error = {Failure::kUnavailable, "overloaded", detail, 1000};
  report_.Refused(error);
  return error;
}

}  // namespace novafeed::postgres
