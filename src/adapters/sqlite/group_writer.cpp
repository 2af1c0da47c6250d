#include "adapters/sqlite/group_writer.h"

#include <exception>
#include <future>
#include <utility>

#include "base/log.h"

namespace novafeed::sqlite {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kCacheMebibytes = 64;
constexpr int kBulkCacheMebibytes = 384;
// In bulk the log may grow this many times longer before it is folded: its pages are written again and again.
constexpr std::int64_t kBulkFoldFactor = 16;
// Where readers keep a passive checkpoint from finishing for this many periods, the writer waits for them.
constexpr std::int64_t kRestartFactor = 8;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

}  // namespace

GroupWriter::Instruments GroupWriter::MakeInstruments(const std::string& store, Metrics* metrics) {
  const Metrics::Labels labels = {{"store", store}};
  return {
      metrics->AddHistogram("novafeed_store_commit_seconds",
                            "Time of one durable commit, the works before it included.",
                            {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5}, labels),
      metrics->AddHistogram("novafeed_store_works_per_commit", "Works that one commit made durable.",
                            {1, 2, 4, 8, 16, 32, 64, 128, 256}, labels),
      metrics->AddGauge("novafeed_store_queue_length", "Works that wait for the writer.", labels),
      metrics->AddGauge("novafeed_store_wal_pages", "Pages in the write-ahead log after the last commit.", labels),
  };
}

GroupWriter::GroupWriter(Database* database, std::int64_t last, Options options, Metrics* metrics)
    : database_(database),
      options_(std::move(options)),
      instruments_(MakeInstruments(options_.store, metrics)),
      report_(options_.store, metrics),
      begin_(*database, "beginning a transaction", "BEGIN IMMEDIATE"),
      commit_(*database, "committing", "COMMIT"),
      rollback_(*database, "rolling back", "ROLLBACK"),
      savepoint_(*database, "setting a savepoint", "SAVEPOINT work"),
      release_(*database, "releasing a savepoint", "RELEASE work"),
      rollback_to_(*database, "rolling a work back", "ROLLBACK TO work"),
      sequence_(last),
      next_fold_at_(options_.checkpoint_pages),
      end_(last),
      thread_([this] { Run(); }) {}

GroupWriter::~GroupWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void GroupWriter::Submit(Work work, Done done, std::size_t weight) {
  Enqueue({std::move(work), std::move(done), weight, false});
}

void GroupWriter::Enqueue(Task task) {
  std::unique_lock lock(mutex_);
  if (!queue_.empty() && queued_weight_ + task.weight > options_.max_queued) {
    lock.unlock();
    const Error error = {Failure::kUnavailable, "overloaded",
                         "More writes are waiting than the disk can take: try again.", 1000};
    report_.Refused(error);
    task.done(tl::unexpected(error));
    return;
  }
  queued_weight_ += task.weight;
  queue_.push_back(std::move(task));
  instruments_.queue_length.Set(static_cast<double>(queue_.size()));
  lock.unlock();
  wake_.notify_one();
}

void GroupWriter::RunBlocking(Work work) {
  EnqueueAndWait(std::move(work), false);
}

void GroupWriter::RunAlone(Work work) {
  EnqueueAndWait(std::move(work), true);
}

void GroupWriter::EnqueueAndWait(Work work, bool alone) {
  std::promise<Result<std::int64_t>> promise;
  const auto answer = [&promise](Result<std::int64_t> result) { promise.set_value(std::move(result)); };
  Enqueue({std::move(work), answer, 1, alone});
  const Result<std::int64_t> result = promise.get_future().get();
  if (!result) {
    throw StoreError(result.error());
  }
}

void GroupWriter::OnCommit(std::function<void()> notify) {
  const std::lock_guard lock(notify_mutex_);
  notify_ = std::move(notify);
}

void GroupWriter::Run() {
  while (WaitForTask()) {
    RunGroup();
    FoldLogIfDue();
  }
}

bool GroupWriter::WaitForTask() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  return !queue_.empty();
}

std::optional<GroupWriter::Task> GroupWriter::TakeTask() {
  const std::lock_guard lock(mutex_);
  const bool must_wait = !queue_.empty() && queue_.front().alone && !group_.empty();  // for the commit of this group
  if (queue_.empty() || must_wait) {
    return std::nullopt;
  }
  Task task = std::move(queue_.front());
  queue_.pop_front();
  queued_weight_ -= task.weight;
  instruments_.queue_length.Set(static_cast<double>(queue_.size()));
  return task;
}

void GroupWriter::RunGroup() {
  ApplyBulkMode();
  const SteadyClock::time_point start = SteadyClock::now();
  const std::size_t max_group = bulk_ ? 1 : options_.max_group;
  while (group_.size() < max_group && SteadyClock::now() - start < options_.max_group_time) {
    std::optional<Task> task = TakeTask();
    if (!task) {
      break;
    }
    if (task->alone) {
      RunTaskAlone(*std::move(task));
      return;
    }
    if (!RunTask(*std::move(task))) {
      return;
    }
  }
  if (group_.empty()) {
    return;
  }
  instruments_.works_per_commit.Observe(static_cast<double>(group_.size()));
  CommitGroup();
  instruments_.commit_seconds.Observe(SecondsSince(start));
}

void GroupWriter::RunTaskAlone(Task task) {
  try {
    task.work(sequence_);
  } catch (...) {
    task.done(tl::unexpected(WriteErrorOf(std::current_exception())));
    return;
  }
  task.done(sequence_.last());
}

// False where the whole group had to be given up. The first work of a group needs no savepoint (whose journal would
// hold every page that a large work changes): nothing came before it that must be kept.
bool GroupWriter::RunTask(Task task) {
  const std::int64_t mark = sequence_.last();
  const bool is_first = group_.empty();
  try {
    (is_first ? begin_ : savepoint_).Execute();
    task.work(sequence_);
    if (!is_first) {
      release_.Execute();
    }
    group_.push_back(std::move(task));
    return true;
  } catch (...) {
    const Error error = WriteErrorOf(std::current_exception());
    if (is_first || error.failure == Failure::kStorageFull || !database_->InTransaction()) {
      group_.push_back(std::move(task));
      FailGroup(error);
      return false;
    }
    RollBackTask(std::move(task), error, mark);
    return !group_.empty();
  }
}

void GroupWriter::RollBackTask(Task task, const Error& error, std::int64_t mark) {
  try {
    rollback_to_.Execute();
    release_.Execute();
  } catch (const StoreError& worse) {
    group_.push_back(std::move(task));
    FailGroup(worse.error());
    return;
  }
  sequence_.RollBackTo(mark);
  report_.RolledBack(error, 1);
  task.done(tl::unexpected(error));
}

void GroupWriter::CommitGroup() {
  try {
    commit_.Execute();
  } catch (const StoreError& error) {
    FailGroup(error.error());
    return;
  }
  PublishCommit();
  for (Task& task : std::exchange(group_, {})) {
    task.done(sequence_.last());
  }
}

void GroupWriter::FailGroup(const Error& error) {
  if (database_->InTransaction()) {
    try {
      rollback_.Execute();
    } catch (const StoreError& worse) {
      Log(LogLevel::kError, "store_rollback_failed", {{"store", options_.store}, {"error", std::string(worse.what())}});
    }
  }
  sequence_.RollBackTo(End());
  report_.RolledBack(error, group_.size());
  for (Task& task : std::exchange(group_, {})) {
    task.done(tl::unexpected(error));
  }
}

void GroupWriter::PublishCommit() {
  end_.store(sequence_.last(), std::memory_order_release);
  const std::lock_guard lock(notify_mutex_);
  if (notify_) {
    notify_();
  }
}

void GroupWriter::FoldLogIfDue() {
  const std::int64_t pages = database_->wal_pages();
  const std::int64_t period = options_.checkpoint_pages * (bulk_ ? kBulkFoldFactor : 1);
  instruments_.wal_pages.Set(static_cast<double>(pages));
  if (pages < period) {
    next_fold_at_ = period;  // the log has started over
  }
  if (pages < next_fold_at_) {
    return;
  }
  next_fold_at_ = pages + period;
  try {
    database_->Checkpoint(pages < kRestartFactor * period ? CheckpointMode::kPassive : CheckpointMode::kRestart);
  } catch (const StoreError& error) {
    report_.CheckpointFailed(error.error());
  }
}

void GroupWriter::ApplyBulkMode() {
  const bool wanted = bulk_wanted_;
  if (wanted == bulk_) {
    return;
  }
  bulk_ = wanted;
  database_->SetCacheMebibytes(bulk_ ? kBulkCacheMebibytes : kCacheMebibytes);
}

}  // namespace novafeed::sqlite
