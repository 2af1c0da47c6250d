// A batch of behaviour events as it is sent and answered (contract, sections 2 and 5). Pure: each item is judged by
// itself; who and what exists is looked up by routes/events.cpp.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/entities.h"

namespace novafeed {

inline constexpr std::size_t kMaxEventBatch = 500;
inline constexpr TimeMs kMaxEventAge = kMsPerDay;
inline constexpr TimeMs kMaxEventAhead = 5 * 60 * kMsPerSecond;

enum class EventStatus { kAccepted, kDuplicate, kRejected };

struct EventItem {
  std::optional<std::string> event_id;  // as sent, for the answer; empty where it was no string
  Event event;                          // post_author and post_created_at are not filled in here
  EventStatus status = EventStatus::kAccepted;
  std::string_view code;   // why it is rejected: a literal
  std::string_view field;  // and which field of it, where it is one: a literal

  bool rejected() const { return status == EventStatus::kRejected; }
  void Reject(std::string_view why, std::string_view of = {}) {
    status = EventStatus::kRejected;
    code = why;
    field = of;
  }
};

// Whose events a caller may send, and when they arrived.
struct EventRules {
  std::optional<UserId> person;  // who gave the events that name nobody
  bool may_name_users = false;   // service and admin tokens: "user_id"
  TimeMs arrival = 0;
};

// The items of {"events":[...]} in order; unknown fields are ignored. Codes of rejected items: "missing_field",
// "bad_id", "unknown_type", "user_not_allowed", "bad_time", "time_out_of_range".
// Fails as a whole, kUnprocessable, where there is no list ("missing_field", "wrong_type") or it holds none or more
// than 500 ("bad_batch_size"); and kInvalid "user_required" where nobody is named, neither in the header nor in any
// item.
Result<std::vector<EventItem>> ParseEventBatch(const boost::json::value& body, const EventRules& rules);

// {"accepted","duplicates","rejected","results":[...]}
std::string RenderEventResults(const std::vector<EventItem>& items);

}  // namespace novafeed
