// What a check found, for people and for programs. Pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "check/ledger.h"
#include "check/relations.h"
#include "check/schema_check.h"
#include "stream/position.h"

namespace novafeed {

inline constexpr std::size_t kMaxExamples = 20;  // by relation: the rest is counted

struct DifferenceExample {
  DifferenceKind kind = DifferenceKind::kMissing;
  std::string key;
  std::string detail;
};

struct RelationReport {
  Relation relation = Relation::kUsers;
  std::int64_t compared = 0;  // rows that were found there
  std::int64_t missing = 0;
  std::int64_t extra = 0;
  std::int64_t different = 0;
  std::int64_t ahead = 0;
  std::vector<DifferenceExample> examples;
  std::string failure;  // why it could not be compared; empty where it was

  void Add(const Difference& difference);
  std::int64_t Differences() const { return missing + extra + different + ahead; }
  bool Agrees() const { return failure.empty() && Differences() == 0; }
};

struct CheckReport {
  Position end;        // of the log, when the check began
  Position warehouse;  // that was compared
  Position index;
  // Where events dated before are in the log no more, nor totals of them: what is counted of them was compared between
  // the warehouse's sets, its rows and the index.
  std::optional<TimeMs> events_from;
  std::vector<SchemaDifference> schema;
  std::vector<RelationReport> relations;
  std::int64_t broken_messages = 0;  // in ingest_errors: told, not counted as a difference

  bool Agrees() const;
  // Of all relations, and of the schema.
  std::int64_t Differences() const;
};

// The first check, and with a repair what was done and the check after it.
struct CheckOutcome {
  CheckReport report;
  std::vector<std::string> mended;  // what was done, one sentence each
  std::vector<CheckReport> after;   // one after a repair, else none

  bool Agrees() const { return after.empty() ? report.Agrees() : after.back().Agrees(); }
};

// One JSON object without a newline; keys are those of docs/operations.md.
std::string RenderJson(const CheckOutcome& outcome);

}  // namespace novafeed
