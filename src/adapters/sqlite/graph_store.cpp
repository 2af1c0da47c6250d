// OpenSqliteGraph: the ports of the graph over graph.db.
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "adapters/sqlite/connection_pool.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/graph_erasure.h"
#include "adapters/sqlite/graph_reader.h"
#include "adapters/sqlite/graph_transaction.h"
#include "adapters/sqlite/group_writer.h"
#include "adapters/sqlite/list_indexes.h"
#include "adapters/sqlite/migrations.h"
#include "adapters/sqlite/open.h"
#include "adapters/sqlite/scrub.h"
#include "base/crypto.h"
#include "capture/retention.h"

namespace novafeed {
namespace sqlite {
namespace {

constexpr std::int64_t kForgetBatch = 2000;
constexpr std::size_t kGenerationBytes = 6;
constexpr std::size_t kLogReaders = 2;  // the index and the outbox relay

// The writer's connection to a file that is complete.
class GraphDatabase : public MigratedDatabase {
 public:
  explicit GraphDatabase(const std::string& path) : MigratedDatabase(path, FileKind::kGraph, GraphMigrations()) {
    MakeListIndexes(*this);
  }
};

// The name that the file got when it was made.
std::string EnsureGeneration(Database& database) {
  Statement name(database, "naming the data set",
                 "INSERT INTO data_set (generation) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM data_set)");
  name.Execute(ToHex(RandomBytes(kGenerationBytes)));
  Statement read(database, "reading the name of the data set", "SELECT generation FROM data_set");
  Rows rows = read.Query();
  rows.Next();
  return rows.Text(0);
}

class SqliteGraphStore final : public SqliteGraph {
 public:
  explicit SqliteGraphStore(const SqliteOptions& options)
      : clock_(options.clock),
        path_(options.directory + "/graph.db"),
        database_(path_),
        generation_(EnsureGeneration(database_)),
        readers_(path_, options.readers),
        log_readers_(path_, kLogReaders),
        transaction_(database_),
        writer_(
            &database_, log_readers_.Borrow()->LastSequence(),
            {.store = "graph", .max_queued = options.max_queued_works, .checkpoint_pages = options.checkpoint_pages},
            options.metrics),
        erasure_(&database_, &writer_) {}

  void Write(Work work, Done done) override {
    writer_.Submit(
        [this, work = std::move(work)](Sequence& sequence) {
          transaction_.Start(clock_->Now(), &sequence);
          work(transaction_);
        },
        std::move(done));
  }

  std::optional<User> GetUser(UserId id) override { return readers_.Borrow()->FindUser(id); }
  std::optional<Post> GetPost(PostId id) override { return readers_.Borrow()->FindPost(id); }
  std::optional<Comment> GetComment(CommentId id) override { return readers_.Borrow()->FindComment(id); }
  std::vector<User> ListUsers(std::string_view handle_prefix, std::size_t limit) override {
    return readers_.Borrow()->ListUsers(handle_prefix, limit);
  }
  ListPage<User> Followers(UserId user, std::size_t limit, std::optional<ListCursor> after) override {
    return readers_.Borrow()->Followers(user, limit, after);
  }
  ListPage<User> Following(UserId user, std::size_t limit, std::optional<ListCursor> after) override {
    return readers_.Borrow()->Following(user, limit, after);
  }
  ListPage<Post> PostsOf(UserId author, std::size_t limit, std::optional<ListCursor> after) override {
    return readers_.Borrow()->PostsOf(author, limit, after);
  }
  ListPage<Comment> CommentsOn(PostId post, std::size_t limit, std::optional<ListCursor> after) override {
    return readers_.Borrow()->CommentsOn(post, limit, after);
  }
  std::vector<PostId> LikedAmong(UserId user, std::span<const PostId> posts) override {
    return readers_.Borrow()->LikedAmong(user, posts);
  }
  std::vector<UserId> DismissedBy(UserId user) override { return readers_.Borrow()->DismissedBy(user); }
  bool IsRetired(RetiredKind kind, Uuid id) override { return readers_.Borrow()->IsRetired(kind, id); }
  std::optional<std::string> GetFact(std::string_view key) override { return readers_.Borrow()->GetFact(key); }

  std::vector<OutboxEntry> ReadOutbox(std::size_t limit) override { return log_readers_.Borrow()->ReadOutbox(limit); }
  void ClearOutbox(std::int64_t up_to) override {
    writer_.RunBlocking([this, up_to](Sequence&) { transaction_.ClearOutbox(up_to); });
  }

  std::int64_t ForgetOldEvents() override {
    const TimeMs before = clock_->Now() - kEventMemory;
    return ForgetInBatches([&] { return transaction_.ForgetEvents(before, kForgetBatch); });
  }
  void SetBulkMode(bool on) override {
    writer_.SetBulk(on);
    writer_.RunBlocking([this, on](Sequence&) {
      if (on) {
        DropListIndexesForBulk(database_);
      } else {
        MakeListIndexes(database_);
      }
    });
  }

  std::vector<Erasure> ReadErasures() override { return readers_.Borrow()->ReadErasures(); }
  void HideInRows(std::span<const Erasure> erased) override { erasure_.HideInRows(erased); }
  void HideInChanges(std::span<const Erasure> erased, std::int64_t through) override {
    erasure_.HideInChanges(erased, through);
  }
  void CloseErasures(std::span<const Erasure> erased) override { erasure_.Close(erased); }
  std::int64_t Scrub() override { return ScrubFile(&database_, &writer_); }

  std::vector<Uuid> RetiredUsers() override { return erasure_.RetiredUsers(); }
  std::vector<UserId> FindUsers(std::span<const Uuid> digests) override { return erasure_.FindUsers(digests); }
  void RetireUsers(std::span<const Uuid> digests) override { erasure_.RetireUsers(digests); }

  std::string Generation() override { return generation_; }

  std::vector<Change> Read(std::int64_t after, std::size_t limit) override {
    const auto reader = log_readers_.Borrow();
    const ReadTransaction cut(&reader.database());
    RequireKept(after, reader->ForgottenThrough());
    return reader->ReadChanges(after, limit);
  }
  std::int64_t End() override { return writer_.End(); }

  // On a connection of its own: a long read must not keep one from the pool.
  std::int64_t ReadState(const std::function<void(const std::vector<Change>&)>& take) override {
    Database database(path_, Access::kRead);
    const ReadTransaction transaction(&database);
    const std::int64_t cut = GraphReader(database).LastSequence();
    ReadAllRows(database, cut, clock_->Now(), take);
    return cut;
  }

  void OnCommit(std::function<void()> notify) override { writer_.OnCommit(std::move(notify)); }

  std::int64_t ForgetChanges(TimeMs before, std::int64_t applied) override {
    return ForgetInBatches([&] { return transaction_.ForgetChanges(before, applied, kForgetBatch); });
  }

 private:
  // Each call of `forget_batch` is a transaction of its own, until one finds less than a batch. Returns their sum.
  std::int64_t ForgetInBatches(const std::function<std::int64_t()>& forget_batch) {
    std::int64_t total = 0;
    std::int64_t batch = kForgetBatch;
    while (batch == kForgetBatch) {
      writer_.RunBlocking([&](Sequence&) { batch = forget_batch(); });
      total += batch;
    }
    return total;
  }

  const Clock* clock_;
  const std::string path_;
  GraphDatabase database_;  // the writer's
  const std::string generation_;
  ConnectionPool<GraphReader> readers_;
  ConnectionPool<GraphReader> log_readers_;  // of those that follow the store: they never wait behind its other readers
  SqliteGraphTransaction transaction_;
  GroupWriter writer_;    // after what its thread uses
  GraphErasure erasure_;  // goes before the writer, which runs works of it only while one of its methods waits for them
};

}  // namespace
}  // namespace sqlite

std::unique_ptr<SqliteGraph> OpenSqliteGraph(const SqliteOptions& options) {
  return std::make_unique<sqlite::SqliteGraphStore>(options);
}

}  // namespace novafeed
