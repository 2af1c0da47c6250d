#include "timeline/instants.h"

namespace novafeed {
namespace {

// A requested as_of may be this far ahead of this node's clock: clients' clocks differ.
constexpr TimeMs kAsOfAhead = 5 * 60 * kMsPerSecond;

}  // namespace

Status CheckAsOf(std::optional<TimeMs> as_of, TimeMs now, const std::string& name) {
  if (!as_of || (*as_of >= now - kMaxAsOfAge && *as_of <= now + kAsOfAhead)) return {};
  return Fail(Failure::kInvalid, "bad_" + name,
              name + " may lie at most one hour back and five minutes ahead: send milliseconds since 1970, UTC.");
}

}  // namespace novafeed
