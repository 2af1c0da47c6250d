#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "adapters/postgres/server_test_support.h"
#include "graph/retired.h"

namespace novafeed::postgres {
namespace {

UserId UserNumber(int number) {
  return UserId{IdFromExternal(IdKind::kUser, std::to_string(number))};
}

Erasure Erased(int user, int pseudonym) {
  return {UserNumber(user), UserNumber(pseudonym), 0, true};
}

Uuid DigestOf(int user) {
  return RetiredDigest(RetiredKind::kUser, UserNumber(user).value);
}

class PostgresPurges : public ::testing::Test {
 protected:
  void SetUp() override {
    NOVAFEED_NEEDS_POSTGRES();
    database_ = std::make_unique<TestDatabase>();
  }
  void Note(PostgresGraph* graph, std::vector<Erasure> erased, std::int64_t changes) {
    graph->NotePurged(erased, changes);
  }

  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PostgresPurges, AreReadInTheirOrderBehindANumberByDigest) {
  const auto graph = database_->Open();
  EXPECT_TRUE(graph->ReadPurged(0).empty());
  Note(graph.get(), {Erased(1, 101), Erased(2, 102)}, 70);
  Note(graph.get(), {Erased(3, 103)}, 80);
  const std::vector<PurgedUser> all = database_->Open()->ReadPurged(0);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_LT(all[0].number, all[1].number);
  EXPECT_EQ(all[2], (PurgedUser{all[2].number, DigestOf(3), UserNumber(103), 80}));
  EXPECT_EQ(graph->ReadPurged(all[1].number), std::vector<PurgedUser>{all[2]});
  EXPECT_TRUE(graph->ReadPurged(all[2].number).empty());
}

TEST_F(PostgresPurges, WhoIsPurgedAgainIsToldAgain) {
  const auto graph = database_->Open();
  Note(graph.get(), {Erased(1, 101), Erased(2, 102)}, 70);
  const std::int64_t last = graph->ReadPurged(0).back().number;
  Note(graph.get(), {Erased(1, 201)}, 90);
  const std::vector<PurgedUser> again = graph->ReadPurged(last);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0], (PurgedUser{again[0].number, DigestOf(1), UserNumber(201), 90}));
  EXPECT_EQ(graph->ReadPurged(0).size(), 2u);
}

TEST_F(PostgresPurges, AreForgottenAndTheirNumbersNotUsedAgain) {
  const auto graph = database_->Open();
  Note(graph.get(), {Erased(1, 101), Erased(2, 102)}, 70);
  const std::int64_t last = graph->ReadPurged(0).back().number;
  EXPECT_EQ(graph->ForgetPurged(0), 0);
  EXPECT_EQ(graph->ForgetPurged(kMaxTime), 1);
  Note(graph.get(), {Erased(3, 103)}, 80);
  EXPECT_GT(graph->ReadPurged(0).back().number, last);
}

}  // namespace
}  // namespace novafeed::postgres
