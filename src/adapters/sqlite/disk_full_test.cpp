// No space left: an error that says so, nothing acknowledged is lost, and it heals by itself.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "adapters/sqlite/test_stores.h"

namespace novafeed::sqlite {
namespace {

// No file of this process may grow beyond `bytes` as long as this lives: a full disk that needs no rights.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

// A small disk of its own, in a mount namespace that ends with this thread. False where that is not permitted.
bool MountSmallDisk(const std::string& path) {
  return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", path.c_str(), "tmpfs", 0, "size=8m") == 0;
}

// Writes works of twenty likes until one fails; gives how many were acknowledged, and the error.
struct Filled {
  int acknowledged = 0;
  Error error;
};

Filled FillGraph(SqliteGraph& store, int first) {
  Filled filled;
  for (int number = first; number < first + 100'000; ++number) {
    const auto result = WriteAndWait(store, [number](GraphTransaction& tx) {
      for (int i = 0; i < 20; ++i) tx.InsertLike(NumberedLike(number, i));
    });
    if (!result) {
      filled.error = result.error();
      return filled;
    }
    ++filled.acknowledged;
  }
  return filled;
}

Filled FillLog(EventLog& log, int first) {
  Filled filled;
  for (int number = first; number < first + 2'000'000; number += 20) {
    std::vector<Event> events;
    for (int i = 0; i < 20; ++i) events.push_back(NumberedEvent(number + i));
    const auto result = AppendAndWait(log, events);
    if (!result) {
      filled.error = result.error();
      return filled;
    }
    ++filled.acknowledged;
  }
  return filled;
}

std::size_t CountRows(SqliteGraph& store) {
  std::size_t rows = 0;
  store.ReadState([&](const std::vector<Change>& batch) { rows += batch.size(); });
  return rows;
}

void ExpectExactly(SqliteGraph& store, int works) {
  EXPECT_EQ(store.End(), 20 * works);
  EXPECT_EQ(CountRows(store), static_cast<std::size_t>(20 * works));
  EXPECT_EQ(store.Read(0, 1'000'000).size(), static_cast<std::size_t>(20 * works));
}

TEST(DiskFull, GraphSaysSoKeepsWhatItAcknowledgedAndHeals) {
  TestHome home;
  int works = 0;
  {
    const auto store = OpenSqliteGraph(home.Options());
    {
      const FileSizeLimit limit(1 << 20);
      const Filled filled = FillGraph(*store, 0);
      works = filled.acknowledged;
      EXPECT_GT(works, 0);
      EXPECT_EQ(filled.error.failure, Failure::kStorageFull);
      EXPECT_EQ(filled.error.code, "disk_full") << filled.error.detail;
      ExpectExactly(*store, works);
      EXPECT_EQ(FillGraph(*store, 500'000).acknowledged, 0) << "it is still full";
      EXPECT_EQ(MetricValue(home.metrics, R"(novafeed_store_failed_works_total{code="disk_full",store="graph"})"), 2);
    }
    ASSERT_TRUE(WriteAndWait(*store, [](GraphTransaction& tx) {
      for (int i = 0; i < 20; ++i) tx.InsertLike(NumberedLike(900'000, i));
    })) << "there is space again";
    ++works;
    ExpectExactly(*store, works);
  }
  ExpectExactly(*OpenSqliteGraph(home.Options()), works);
}

// Where the file cannot grow but its write-ahead log still can, nothing is refused yet: only the metric tells.
TEST(DiskFull, ACheckpointThatFailsIsCounted) {
  const std::string failures = R"(novafeed_store_checkpoint_failures_total{store="graph"})";
  TestHome home;
  SqliteOptions options = home.Options();
  options.checkpoint_pages = 16;
  const auto store = OpenSqliteGraph(options);
  const FileSizeLimit limit(512 << 10);
  int user = 0;
  Result<std::int64_t> written = 0;
  while (written && MetricValue(home.metrics, failures) == 0) {
    written = WriteAndWait(*store, [&user](GraphTransaction& tx) {
      ++user;
      for (int i = 0; i < 20; ++i) tx.InsertLike(NumberedLike(user, i));
    });
  }
  EXPECT_TRUE(written) << written.error().detail;
  EXPECT_GT(MetricValue(home.metrics, failures), 0);
}

TEST(DiskFull, EventLogSaysSoKeepsWhatItAcknowledgedAndHeals) {
  TestHome home;
  int batches = 0;
  {
    const auto log = OpenSqliteEventLog(home.Options());
    {
      const FileSizeLimit limit(1 << 20);
      const Filled filled = FillLog(*log, 0);
      batches = filled.acknowledged;
      EXPECT_GT(batches, 0);
      EXPECT_EQ(filled.error.code, "disk_full") << filled.error.detail;
      EXPECT_EQ(log->Read({}, 1'000'000).size(), static_cast<std::size_t>(20 * batches));
    }
    const auto again = AppendAndWait(*log, {NumberedEvent(20 * batches), NumberedEvent(0)});
    ASSERT_TRUE(again) << "there is space again";
    EXPECT_EQ(again->duplicate, (std::vector<bool>{false, true})) << "the refused batch left no identity behind";
    EXPECT_EQ(again->end, EventPoints{20 * batches + 1});
  }
  EXPECT_EQ(OpenSqliteEventLog(home.Options())->End(), EventPoints{20 * batches + 1});
}

TEST(DiskFull, OnASmallDiskBothSaySoAndHealWhenSpaceIsBack) {
  TestHome home;
  const std::string disk = home.directory.path().string();
  if (!MountSmallDisk(disk)) {
    GTEST_SKIP() << "mounting a tmpfs is not permitted here; the tests above fill a disk without it";
  }
  const std::string ballast = disk + "/ballast";
  std::ofstream(ballast) << std::string(4 << 20, 'x');
  {
    const auto store = OpenSqliteGraph(home.Options());
    const auto log = OpenSqliteEventLog(home.Options());
    const Filled graph = FillGraph(*store, 0);
    EXPECT_EQ(graph.error.code, "disk_full");
    const Filled events = FillLog(*log, 0);
    EXPECT_EQ(events.error.code, "disk_full");
    ExpectExactly(*store, graph.acknowledged);

    std::filesystem::remove(ballast);
    EXPECT_GT(FillGraph(*store, 500'000).acknowledged, 0) << "there is space again";
    std::ofstream(ballast).close();
    EXPECT_EQ(log->Read({}, 1'000'000).size(), static_cast<std::size_t>(20 * events.acknowledged));
  }
  umount2(disk.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace novafeed::sqlite
