#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/open.h"
#include "adapters/kafka/topics.h"
#include "adapters/kafka/transaction_reader.h"
#include "graph/store.h"
#include "warehouse/kafka_landing.h"

namespace novafeed {
namespace {

using namespace kafka;  // NOLINT(google-build-using-namespace): this file is of that namespace, but for its factory

static_assert(std::ranges::equal(kLandingTopics.begin(), kLandingTopics.begin() + kChangeTopics, kRowTopics.begin(),
                                 kRowTopics.begin() + kChangeTopics));

ChangeOffsets WithoutHeartbeats(const std::array<std::int64_t, kRowTopics.size()>& offsets) {
  ChangeOffsets of_changes;
  std::copy_n(offsets.begin(), of_changes.size(), of_changes.begin());
  return of_changes;
}

class KafkaLandingTopics final : public LandingTopics {
 public:
  KafkaLandingTopics(const KafkaOptions& options, const Access& access, std::string group_name, Metrics* metrics)
      : options_(options),
        group_name_(std::move(group_name)),
        reader_(access, options.rows_ahead, "novafeed-commits", ConnectionMetrics(metrics), {}),
        client_(access, "novafeed-landing", Client::Use::kFollow, ConnectionMetrics(metrics)) {}

  LandingOffsets Offsets() override;
  Commits ReadCommits(std::int64_t after, std::size_t limit) override;
  NewestCommit ReadNewestCommit() override;
  void ReadMessages(std::size_t topic, std::size_t partition, std::int64_t from, std::int64_t until,
                    const TakeMessage& take) override;
  void Rewind(std::size_t topic, const std::vector<std::int64_t>& offsets) override;

 private:
  void ReadOn(std::size_t topic, std::size_t partition, std::int64_t until, const TakeMessage& take,
              std::int64_t* next);
  Deadline NewDeadline() const { return SteadyClock::now() + options_.call_timeout; }

  const KafkaOptions options_;
  const std::string group_name_;
  TransactionReader reader_;
  Client client_;  // for single questions and messages
};

LandingOffsets KafkaLandingTopics::Offsets() {
  LandingOffsets offsets;
  for (std::size_t topic = 0; topic < kLandingTopics.size(); ++topic) {
    const Deadline deadline = NewDeadline();
    const std::string name(kLandingTopics[topic]);
    // Committed first: an end that is asked for later is not before it.
    const std::vector<std::int64_t> committed =
        client_.Committed(LandingGroup(group_name_, name), name, client_.CountPartitions(name, deadline), deadline);
    const std::vector<TopicRange> ranges = client_.PartitionRanges(name, deadline);
    offsets[topic].resize(ranges.size());
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      offsets[topic][i] = {ranges[i].first, ranges[i].end, i < committed.size() ? committed[i] : -1};
    }
  }
  return offsets;
}

LandingTopics::Commits KafkaLandingTopics::ReadCommits(std::int64_t after, std::size_t limit) {
  const Deadline deadline = NewDeadline();
  reader_.Seek(after, deadline);
  Commits read;
  read.start = WithoutHeartbeats(reader_.ends());
  while (read.commits.size() < limit) {
    const std::optional<CapturedTransaction> next = reader_.Next(read.commits.empty(), deadline);
    if (!next) break;
    read.commits.push_back({next->commit, WithoutHeartbeats(reader_.ends())});
  }
  reader_.RequireRows();
  reader_.Hand(read.commits.empty() ? after : read.commits.back().commit);
  read.through = WithoutHeartbeats(reader_.Through());
  if (!read.commits.empty()) return read;
  if (reader_.IsLost()) throw Unavailable("no broker can be reached.");
  if (reader_.IsBehind()) throw Unavailable("what it holds did not come in time.");
  return read;
}

NewestCommit KafkaLandingTopics::ReadNewestCommit() {
  const TransactionEnd newest = reader_.NewestCommit(NewDeadline());
  return {newest.commit, newest.committed_at};
}

void KafkaLandingTopics::ReadMessages(std::size_t topic, std::size_t partition, std::int64_t from, std::int64_t until,
                                      const TakeMessage& take) {
  for (std::int64_t next = from; next < until;) try {
      ReadOn(topic, partition, until, take, &next);
    } catch (const StoreError& error) {
      if (error.error().code != "log_forgotten") throw;
      client_.Assign({});
      const std::string name(kLandingTopics.at(topic));
      const std::int64_t first = client_.PartitionRanges(name, NewDeadline()).at(partition).first;
      if (first <= next) throw;
      next = first;
    }
}

// From `next` on, which goes along.
void KafkaLandingTopics::ReadOn(std::size_t topic, std::size_t partition, std::int64_t until, const TakeMessage& take,
                                std::int64_t* next) {
  const std::string name(kLandingTopics.at(topic));
  client_.Assign({{name, *next, partition}});
  while (*next < until) {
    // A deadline for each: there may be many.
    const std::optional<Message> message = client_.Poll(NewDeadline());
    if (!message) throw Unavailable("the topic " + name + " did not answer in time.");
    if (message->topic() != name || message->offset() < *next) continue;
    if (message->offset() < until) take(message->offset(), message->value());
    *next = message->offset() + 1;
  }
  client_.Assign({});
}

void KafkaLandingTopics::Rewind(std::size_t topic, const std::vector<std::int64_t>& offsets) {
  const std::string name(kLandingTopics.at(topic));
  std::vector<TopicPlace> places;
  places.reserve(offsets.size());
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    places.push_back({name, offsets[i], i});
  }
  client_.Commit(LandingGroup(group_name_, name), places, NewDeadline());
}

}  // namespace

Result<std::unique_ptr<LandingTopics>> OpenKafkaLandingTopics(const KafkaOptions& options, std::string group_name,
                                                              Metrics* metrics) {
  const Result<Access> access = ReadAccess(options);
  if (!access) return tl::unexpected<Error>(access.error());
  try {
    return std::make_unique<KafkaLandingTopics>(options, *access, std::move(group_name), metrics);
  } catch (const std::runtime_error& error) {
    return Fail(Failure::kInvalid, "bad_kafka_options", std::string("Kafka's client refuses: ") + error.what());
  }
}

}  // namespace novafeed
