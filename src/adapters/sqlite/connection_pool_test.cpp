#include "adapters/sqlite/connection_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <string>

#include "base/test_support.h"

namespace novafeed::sqlite {
namespace {

class OneReader {
 public:
  explicit OneReader(Database& database) : one_(database, "reading one", "SELECT 1") {}
  std::int64_t Read() {
    Rows rows = one_.Query();
    rows.Next();
    return rows.Int(0);
  }

 private:
  Statement one_;
};

class ConnectionPoolTest : public ::testing::Test {
 protected:
  TempDirectory directory_;
  const std::string path_ = (directory_.path() / "pool.db").string();
  Database database_{path_, Access::kWrite};
};

TEST_F(ConnectionPoolTest, SaysThatItIsBusyWhereNoConnectionComesBack) {
  ConnectionPool<OneReader> pool(path_, 1, std::chrono::milliseconds(1));
  {
    const auto borrowed = pool.Borrow();
    try {
      pool.Borrow();
      ADD_FAILURE() << "there is no second connection";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.error().failure, Failure::kUnavailable);
      EXPECT_EQ(error.error().code, "database_busy");
      EXPECT_GT(error.error().retry_after_ms, 0);
    }
    EXPECT_EQ(borrowed->Read(), 1);
  }
  EXPECT_EQ(pool.Borrow()->Read(), 1) << "it is back";
}

TEST_F(ConnectionPoolTest, HandsOverAConnectionThatComesBack) {
  ConnectionPool<OneReader> pool(path_, 1, std::chrono::minutes(1));
  std::future<std::int64_t> next;
  {
    const auto borrowed = pool.Borrow();
    next = std::async(std::launch::async, [&] { return pool.Borrow()->Read(); });
  }
  EXPECT_EQ(next.get(), 1);
}

}  // namespace
}  // namespace novafeed::sqlite
