// The messages of an import into a running server: POST /admin/import. Pure.
//
// A request is one JSON object on the first line. {"op":"points","head":H} asks what is known of a file. {"op":"apply",
// "head","shift","start","end","lines":N,"repeats":[[line,n]…],"rejected":[line…],"complete","tail"} is followed by N
// lines of NDJSON as they stand in the file (blank where the client rejected one), the first of them line
// start.lines + 1.
// Answers: {"points":[…]}, and {"counts":{"post":{"applied":n…}…},"users_by_mention":n,"numbered_handles":n,
// "rejected":[{"line","code","detail"}…],"remarks":[{"line","text"}…]} once all of the batch is durable. An answer that
// was lost is no harm: the same request again changes nothing.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "import/batch.h"
#include "import/journal.h"

namespace novafeed {

// What a server must accept as a body: a replayed batch may hold two, each with one line over its limit.
inline constexpr std::size_t kMaxImportRequestBytes = std::size_t{16} << 20;

struct PointsRequest {
  std::string head;
};
using ImportRequest = std::variant<PointsRequest, ImportBatch>;

std::string EncodePointsRequest(std::string_view head);
std::string EncodeBatch(const ImportBatch& batch);
// kInvalid or kUnprocessable "bad_import_request". Lines that are no actions come as such.
Result<ImportRequest> DecodeImportRequest(std::string_view body);

std::string EncodePointsAnswer(const std::vector<ImportPoint>& points);
Result<std::vector<ImportPoint>> DecodePointsAnswer(std::string_view body);
std::string EncodeReport(const ImportReport& report);
Result<ImportReport> DecodeReport(std::string_view body);

}  // namespace novafeed
