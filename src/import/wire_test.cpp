#include "import/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "import/line_feed.h"

namespace novafeed {
namespace {

Mark MarkAt(std::int64_t offset, std::int64_t lines) {
  return {offset, lines, Sha256Hex(std::to_string(lines))};
}

void AddLine(ImportBatch* batch, EventNumbering* numbering, std::int64_t number, const std::string& text) {
  ImportLine line{number, batch->text.size(), text.size(), ParseImportLine(text), {}, 0};
  batch->text += text;
  numbering->Assign(&line);
  batch->lines.push_back(std::move(line));
}

// Lines 11 to 16: a blank one, a rejected one, equal events, and the last without its end.
ImportBatch Example() {
  ImportBatch batch;
  batch.head = Sha256Hex("head");
  batch.start = MarkAt(100, 10);
  batch.end = MarkAt(500, 15);
  batch.shift = -77;
  const std::string share = R"({"type":"share","user":"a","post":"p","at":5})";
  EventNumbering numbering;
  AddLine(&batch, &numbering, 12, "no action \xff");
  AddLine(&batch, &numbering, 13, share);
  AddLine(&batch, &numbering, 14, share);
  AddLine(&batch, &numbering, 15, R"({"type":"share","user":"a","post":"p","at":5,"id":"e"})");
  AddLine(&batch, &numbering, 16, share);
  return batch;
}

std::string CodeOf(const std::string& body) {
  const Result<ImportRequest> request = DecodeImportRequest(body);
  return request ? "accepted" : request.error().code;
}

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Wire, BatchesArriveAsTheyWereSent) {
  const ImportBatch sent = Example();
  const Result<ImportRequest> request = DecodeImportRequest(EncodeBatch(sent));
  ASSERT_TRUE(request) << request.error().detail;
  const ImportBatch& got = std::get<ImportBatch>(*request);
  EXPECT_EQ(got.head, sent.head);
  EXPECT_EQ(got.start, sent.start);
  EXPECT_EQ(got.end, sent.end);
  EXPECT_EQ(got.shift, -77);
  EXPECT_FALSE(got.complete);
  ASSERT_EQ(got.lines.size(), 4u) << "blank and rejected lines do not travel";
  for (std::size_t i = 0; i < got.lines.size(); ++i) {
    EXPECT_EQ(got.lines[i].number, sent.lines[i + 1].number);
    EXPECT_EQ(got.lines[i].event_id, sent.lines[i + 1].event_id);
    EXPECT_EQ(got.TextOf(got.lines[i]), sent.TextOf(sent.lines[i + 1]));
  }
  EXPECT_EQ(got.lines[3].repeat, 2);
  EXPECT_EQ(got.rejected_before, std::vector<std::int64_t>{12});
}

TEST(Wire, TheEndOfAFileTravels) {
  ImportBatch sent;
  sent.head = Sha256Hex("head");
  sent.start = sent.end = MarkAt(500, 15);
  sent.complete = true;
  sent.tail = Sha256Hex("tail");
  const Result<ImportRequest> request = DecodeImportRequest(EncodeBatch(sent));
  ASSERT_TRUE(request);
  EXPECT_TRUE(std::get<ImportBatch>(*request).complete);
  EXPECT_EQ(std::get<ImportBatch>(*request).tail, sent.tail);
}

TEST(Wire, PointsAreAskedForByHead) {
  const std::string head = Sha256Hex("head");
  const Result<ImportRequest> request = DecodeImportRequest(EncodePointsRequest(head));
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<PointsRequest>(*request).head, head);
  const std::vector<ImportPoint> points = {StartPoint(5)};
  const auto answer = DecodePointsAnswer(EncodePointsAnswer(points));
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, points);
}

TEST(Wire, ReportsArriveAsTheyWereSent) {
  ImportReport report;
  report.counts.At(ActionType::kUser, Outcome::kApplied) = 3;
  report.counts.At(ActionType::kShare, Outcome::kDuplicate) = 4;
  report.users_by_mention = 5;
  report.numbered_handles = 6;
  report.remarks = {{8, "is \"odd\""}};
  report.rejected = {{7, "unknown_post", "put \"its\" line first"}};
  const auto got = DecodeReport(EncodeReport(report));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->counts, report.counts);
  EXPECT_EQ(got->users_by_mention, 5);
  EXPECT_EQ(got->numbered_handles, 6);
  EXPECT_EQ(got->rejected, report.rejected);
  EXPECT_EQ(got->remarks, report.remarks);
}

TEST(Wire, WrongRequestsAreRefused) {
  const std::string good = EncodeBatch(Example());
  ASSERT_EQ(CodeOf(good), "accepted");
  const std::vector<std::string> wrong = {
      "",
      "{",
      "[]",
      "{}",
      EncodePointsRequest("../secrets"),
      Replaced(good, "\"apply\"", "\"delete\""),
      Replaced(good, "\"lines\":6", "\"lines\":5"),
      Replaced(good, "\"lines\":6", "\"lines\":7"),
      Replaced(good, "\"lines\":6", "\"lines\":-1"),
      Replaced(good, "\"lines\":15", "\"lines\":9"),
      Replaced(good, "\"shift\":-77", "\"shift\":\"x\""),
      Replaced(good, "\"shift\":-77", "\"shift\":" + std::to_string(kMaxTime)),
      Replaced(good, "\"shift\":-77", "\"shift\":-9223372036854775808"),
      Replaced(good, "\"repeats\":[[", "\"repeats\":[[1,"),
      Replaced(good, "\"rejected\":[12]", "\"rejected\":[\"x\"]"),
      Replaced(good, "\"complete\":false", "\"complete\":0"),
      good + "more\n",
      good.substr(0, good.size() - 1),
  };
  for (const std::string& body : wrong) EXPECT_EQ(CodeOf(body), "bad_import_request") << body;
}

TEST(Wire, WrongAnswersAreAnError) {
  for (const char* body : {"", "{}", "[]", "<html>", R"({"counts":{},"rejected":[]})", R"({"points":{}})"}) {
    EXPECT_FALSE(DecodeReport(body)) << body;
    EXPECT_FALSE(DecodePointsAnswer(body)) << body;
  }
}

}  // namespace
}  // namespace novafeed
