#include "import/remote_target.h"

#include <algorithm>
#include <utility>

#include "import/wire.h"

namespace novafeed {
namespace {

void ReportInvalidLines(const ImportBatch& batch, ImportReport* report) {
  for (const ImportLine& line : batch.lines) {
    if (line.action) continue;
    ++report->counts.At(ActionType::kInvalid, Outcome::kBad);
    report->rejected.push_back({line.number, line.action.error().code, line.action.error().detail});
  }
}

bool ByNumber(const RejectedLine& a, const RejectedLine& b) {
  return a.number < b.number;
}

}  // namespace

Result<std::vector<ImportPoint>> RemoteTarget::Points(const std::string& head) {
  const Result<std::string> answer = send_(EncodePointsRequest(head));
  if (!answer) return tl::unexpected<Error>(answer.error());
  return DecodePointsAnswer(*answer);
}

Status RemoteTarget::Apply(const ImportBatch& batch, ImportReport* report) {
  const Result<std::string> answer = send_(EncodeBatch(batch));
  if (!answer) return tl::unexpected<Error>(answer.error());
  Result<ImportReport> applied = DecodeReport(*answer);
  if (!applied) return tl::unexpected<Error>(std::move(applied.error()));
  ReportInvalidLines(batch, &*applied);
  std::sort(applied->rejected.begin(), applied->rejected.end(), ByNumber);
  report->Add(*applied);
  return {};
}

}  // namespace novafeed
