#include "import/batch.h"

#include <utility>

namespace novafeed {

std::string_view OutcomeName(Outcome outcome) {
  static constexpr std::array<std::string_view, kOutcomes> kNames = {"applied", "unchanged", "conflict", "duplicate",
                                                                     "bad"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

std::int64_t ImportCounts::Total(Outcome outcome) const {
  std::int64_t total = 0;
  for (const auto& row : counts_) total += row[static_cast<std::size_t>(outcome)];
  return total;
}

std::int64_t ImportCounts::Total() const {
  std::int64_t total = 0;
  for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome) total += Total(static_cast<Outcome>(outcome));
  return total;
}

void ImportCounts::Add(const ImportCounts& other) {
  for (std::size_t type = 0; type < kActionTypes; ++type) {
    for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome) {
      counts_[type][outcome] += other.counts_[type][outcome];
    }
  }
}

void ImportReport::Add(const ImportReport& other) {
  counts.Add(other.counts);
  users_by_mention += other.users_by_mention;
  numbered_handles += other.numbered_handles;
  rejected.insert(rejected.end(), other.rejected.begin(), other.rejected.end());
  for (const LineRemark& remark : other.remarks) Remark(remark);
}

void ImportReport::Remark(LineRemark remark) {
  if (remarks.size() < kMaxRemarks) remarks.push_back(std::move(remark));
}

}  // namespace novafeed
