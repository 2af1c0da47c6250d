#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/open.h"
#include "adapters/kafka/poison.h"
#include "adapters/kafka/transaction_reader.h"
#include "graph/store.h"

namespace novafeed {
namespace {

using namespace kafka;  // NOLINT(google-build-using-namespace): this file is of that namespace, but for its factory

class KafkaChangeFeed final : public ChangeFeed {
 public:
  KafkaChangeFeed(const KafkaOptions& options, const Access& access, Metrics* metrics);

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override;
  std::int64_t QuietThrough(std::int64_t after) override;
  std::optional<TimeMs> CompleteAsOf(std::int64_t after) override;
  std::int64_t End() override;
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override;
  void OnCommit(std::function<void()> notify) override { reader_.SetArrival(std::move(notify)); }

 private:
  Deadline NewDeadline() const { return SteadyClock::now() + options_.call_timeout; }

  const KafkaOptions options_;
  Counter searches_;
  Gauge lag_;
  PoisonReport poison_;
  std::mutex mutex_;  // guards what follows, but for OnCommit
  TransactionReader reader_;
};

KafkaChangeFeed::KafkaChangeFeed(const KafkaOptions& options, const Access& access, Metrics* metrics)
    : options_(options),
      searches_(metrics->AddCounter("novafeed_kafka_searches_total",
                                    "Times the place to read from was looked for on the topics of changes.")),
      lag_(metrics->AddGauge("novafeed_kafka_lag_messages", "Messages of changes in Kafka that are not read yet.")),
      poison_(TransactionReader::Topics(), options.on_poison, metrics),
      reader_(access, options.rows_ahead, "novafeed-changes", ConnectionMetrics(metrics),
              {[this](const Message& message, const std::string& reason) { poison_.Note(message, reason); },
               [this] { searches_.Add(); }}) {}

std::vector<Change> KafkaChangeFeed::Read(std::int64_t after, std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  const Deadline deadline = NewDeadline();
  std::vector<Change> changes;
  reader_.Seek(after, deadline);
  while (changes.size() < limit) {
    // Who begins anywhere waits for what was there by then; later, what has come is all that there is.
    std::optional<CapturedTransaction> next = reader_.Next(changes.empty(), deadline);
    if (!next) break;
    std::ranges::move(next->changes, std::back_inserter(changes));
  }
  reader_.RequireRows();
  reader_.Hand(changes.empty() ? after : changes.back().sequence);
  lag_.Set(static_cast<double>(reader_.MessagesBehind()));
  if (!changes.empty()) return changes;
  if (reader_.IsLost()) throw Unavailable("no broker can be reached.");
  if (reader_.IsBehind()) throw Unavailable("what it holds did not come in time.");
  return changes;
}

std::int64_t KafkaChangeFeed::QuietThrough(std::int64_t after) {
  const std::scoped_lock lock(mutex_);
  return reader_.Holds(after) ? reader_.position() : after;
}

std::optional<TimeMs> KafkaChangeFeed::CompleteAsOf(std::int64_t after) {
  const std::scoped_lock lock(mutex_);
  return reader_.Holds(after) ? reader_.complete_as_of() : 0;
}

std::int64_t KafkaChangeFeed::End() {
  const std::scoped_lock lock(mutex_);
  return reader_.NewestCommit(NewDeadline()).commit;
}

std::int64_t KafkaChangeFeed::ReadState(const std::function<void(const std::vector<Change>&)>& /*take*/) {
  throw StoreError(Error{Failure::kInternal, kNoState,
                         "Kafka holds changes, not the state of the graph: that is read from the warehouse.", 0});
}

}  // namespace

Result<std::unique_ptr<ChangeFeed>> OpenKafkaChangeFeed(const KafkaOptions& options, Metrics* metrics) {
  const Result<Access> access = ReadAccess(options);
  if (!access) return tl::unexpected<Error>(access.error());
  try {
    return std::make_unique<KafkaChangeFeed>(options, *access, metrics);
  } catch (const std::runtime_error& error) {
    return Fail(Failure::kInvalid, "bad_kafka_options", std::string("Kafka's client refuses: ") + error.what());
  }
}

}  // namespace novafeed
