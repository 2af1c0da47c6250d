// OpenPostgresGraph: the ports of the graph over PostgreSQL.
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>

#include "adapters/postgres/connection_pool.h"
#include "adapters/postgres/graph_erasure.h"
#include "adapters/postgres/graph_reader.h"
#include "adapters/postgres/graph_state.h"
#include "adapters/postgres/graph_writer.h"
#include "adapters/postgres/leases.h"
#include "adapters/postgres/migrations.h"
#include "adapters/postgres/open.h"
#include "adapters/postgres/purges.h"
#include "adapters/postgres/retries.h"

namespace novafeed {
namespace postgres {
namespace {

constexpr std::size_t kOutboxConnections = 2;  // the relay reads and clears; it never waits behind other reads
constexpr std::size_t kUpkeepConnections = 2;  // the purge, and the forgetting
constexpr std::size_t kLeaseConnections = 2;   // whoever holds one must not lose it because others read
constexpr std::int64_t kForgetBatch = 2000;

constexpr Statement kClearOutbox = {"clearing the outbox",
                                    "DELETE FROM outbox WHERE sequence = ANY ($1::text::bigint[])"};
constexpr Statement kForgetEvents = {
    "forgetting events",
    "DELETE FROM event_identities WHERE (at, digest) IN "
    "(SELECT at, digest FROM event_identities WHERE at < $1 ORDER BY at, digest LIMIT $2)"};

PoolOptions Pool(const char* name, std::size_t most, const PostgresOptions& options,
                 std::chrono::milliseconds statement_deadline) {
  PoolOptions pool;
  pool.name = name;
  pool.most = most;
  pool.connection = {options.connect_deadline, statement_deadline};
  pool.patience = options.patience;
  return pool;
}

// What the outbox's readers were given and have not cleared. Sequences are given before the commit, so an entry may
// come to light behind later ones: clearing "up to" a sequence means those that somebody has seen. Thread-safe.
class HandedOut {
 public:
  void Add(const std::vector<OutboxEntry>& entries) {
    const std::lock_guard lock(mutex_);
    for (const OutboxEntry& entry : entries) sequences_.insert(entry.sequence);
  }
  // '{…}' of those up to a sequence, and forgets them once `clear` has done it.
  template <class F>
  void ClearUpTo(std::int64_t up_to, const F& clear) {
    std::string array = "{";
    {
      const std::lock_guard lock(mutex_);
      for (auto at = sequences_.begin(); at != sequences_.upper_bound(up_to); ++at) {
        if (array.size() > 1) array += ',';
        array += std::to_string(*at);
      }
    }
    clear(array + "}");
    const std::lock_guard lock(mutex_);
    sequences_.erase(sequences_.begin(), sequences_.upper_bound(up_to));
  }

 private:
  std::mutex mutex_;
  std::set<std::int64_t> sequences_;
};

template <class F>
auto Read(ConnectionPool* connections, const F& read) {
  return WithConnection(connections, [&](Connection& connection) {
    GraphReader reader(&connection);
    return read(reader);
  });
}

class PostgresGraphStore final : public PostgresGraph {
 public:
  PostgresGraphStore(const PostgresOptions& options, Target target, std::string generation)
      : clock_(options.clock),
        generation_(std::move(generation)),
        target_(std::move(target)),
        write_connections_(&target_, Pool("writers", options.writers, options, options.statement_deadline),
                           options.metrics),
        read_connections_(&target_, Pool("readers", options.readers, options, options.statement_deadline),
                          options.metrics),
        outbox_connections_(&target_, Pool("outbox", kOutboxConnections, options, options.statement_deadline),
                            options.metrics),
        upkeep_connections_(&target_, Pool("upkeep", kUpkeepConnections, options, options.upkeep_deadline),
                            options.metrics),
        lease_connections_(&target_, Pool("leases", kLeaseConnections, options, options.statement_deadline),
                           options.metrics),
        writer_(&write_connections_, clock_, {options.writers, options.max_queued_works, options.patience},
                options.metrics) {}

  void Write(Work work, Done done) override { writer_.Submit(std::move(work), std::move(done)); }

  std::optional<User> GetUser(UserId id) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.FindUser(id); });
  }
  std::optional<Post> GetPost(PostId id) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.FindPost(id); });
  }
  std::optional<Comment> GetComment(CommentId id) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.FindComment(id); });
  }
  std::vector<User> ListUsers(std::string_view handle_prefix, std::size_t limit) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.ListUsers(handle_prefix, limit); });
  }
  ListPage<User> Followers(UserId user, std::size_t limit, std::optional<ListCursor> after) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.Followers(user, limit, after); });
  }
  ListPage<User> Following(UserId user, std::size_t limit, std::optional<ListCursor> after) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.Following(user, limit, after); });
  }
  ListPage<Post> PostsOf(UserId author, std::size_t limit, std::optional<ListCursor> after) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.PostsOf(author, limit, after); });
  }
  ListPage<Comment> CommentsOn(PostId post, std::size_t limit, std::optional<ListCursor> after) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.CommentsOn(post, limit, after); });
  }
  std::vector<PostId> LikedAmong(UserId user, std::span<const PostId> posts) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.LikedAmong(user, posts); });
  }
  std::vector<UserId> DismissedBy(UserId user) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.DismissedBy(user); });
  }
  bool IsRetired(RetiredKind kind, Uuid id) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.IsRetired(kind, id); });
  }
  std::optional<std::string> GetFact(std::string_view key) override {
    return Read(&read_connections_, [&](GraphReader& reader) { return reader.GetFact(key); });
  }

  std::vector<OutboxEntry> ReadOutbox(std::size_t limit) override {
    std::vector<OutboxEntry> entries = WithConnection(
        &outbox_connections_, [&](Connection& connection) { return GraphReader(&connection).ReadOutbox(limit); });
    handed_out_.Add(entries);
    return entries;
  }
  void ClearOutbox(std::int64_t up_to) override {
    handed_out_.ClearUpTo(up_to, [this](const std::string& sequences) {
      WithConnection(&outbox_connections_,
                     [&](Connection& connection) { return connection.Execute(kClearOutbox, sequences).affected(); });
    });
  }

  std::int64_t ForgetOldEvents() override {
    const Instant before = {clock_->Now() - kEventMemory};
    std::int64_t total = 0;
    std::int64_t batch = kForgetBatch;
    while (batch == kForgetBatch) {
      batch = WithConnection(&upkeep_connections_, [&](Connection& connection) {
        return connection.Execute(kForgetEvents, before, kForgetBatch).affected();
      });
      total += batch;
    }
    return total;
  }
  void SetBulkMode(bool) override {}  // a work is a transaction here, however large

  std::vector<Erasure> ReadErasures() override {
    return Read(&read_connections_, [](GraphReader& reader) { return reader.ReadErasures(); });
  }
  void HideInRows(std::span<const Erasure> erased) override { postgres::HideInRows(&upkeep_connections_, erased); }
  // What was captured is in the write-ahead log and in Kafka: they forget by their retention.
  void HideInChanges(std::span<const Erasure>, std::int64_t) override {}
  void CloseErasures(std::span<const Erasure> erased) override {
    postgres::CloseErasures(&upkeep_connections_, erased);
  }
  std::int64_t Scrub() override {
    Vacuum(&upkeep_connections_);
    return 0;  // PostgreSQL does not tell how many pages held something
  }

  std::vector<Uuid> RetiredUsers() override { return postgres::RetiredUsers(&upkeep_connections_); }
  std::vector<UserId> FindUsers(std::span<const Uuid> digests) override {
    return postgres::FindUsers(&upkeep_connections_, digests);
  }
  void RetireUsers(std::span<const Uuid> digests) override { postgres::RetireUsers(&upkeep_connections_, digests); }

  std::string Generation() override { return generation_; }

  bool Take(std::string_view name, std::string_view holder, std::chrono::milliseconds ttl) override {
    return TakeLease(&lease_connections_, name, holder, ttl);
  }
  void GiveBack(std::string_view name, std::string_view holder) override {
    GiveBackLease(&lease_connections_, name, holder);
  }

  void NotePurged(std::span<const Erasure> erased, std::int64_t changes) override {
    postgres::NotePurged(&upkeep_connections_, erased, changes, clock_->Now());
  }
  std::vector<PurgedUser> ReadPurged(std::int64_t after) override {
    return postgres::ReadPurged(&read_connections_, after);
  }
  std::int64_t ForgetPurged(TimeMs before) override { return postgres::ForgetPurged(&upkeep_connections_, before); }

  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    return ReadGraphState(&upkeep_connections_, take);
  }

 private:
  const Clock* clock_;
  const std::string generation_;
  const Target target_;
  ConnectionPool write_connections_;
  ConnectionPool read_connections_;
  ConnectionPool outbox_connections_;
  ConnectionPool upkeep_connections_;
  ConnectionPool lease_connections_;
  HandedOut handed_out_;
  GraphWriter writer_;  // after what its threads use
};

}  // namespace
}  // namespace postgres

std::unique_ptr<PostgresGraph> OpenPostgresGraph(const PostgresOptions& options) {
  try {
    postgres::Target target(options.url, options.password_file);
    postgres::Connection connection(target, {options.connect_deadline, options.upkeep_deadline});
    postgres::Migrate(&connection, postgres::GraphMigrations());
    std::string generation = postgres::GraphReader(&connection).Generation();
    return std::make_unique<postgres::PostgresGraphStore>(options, std::move(target), std::move(generation));
  } catch (const StoreError& error) {
    throw std::runtime_error(error.what());
  }
}

}  // namespace novafeed
