// The steps of a live network as requests of the public API, and its answers as what people see of them. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "demo/live_network.h"
#include "http/message.h"

namespace novafeed {

struct LiveCall {
  Method method = Method::kGet;
  std::string target;
  std::string body;  // JSON, or nothing
};

// Events are dated `now`.
LiveCall CallFor(const LiveStep& step, TimeMs now);

// Of the answers to kReadFeed and kDiscover. What is not as the API promises is left out.
std::vector<LiveItem> ReadFeedItems(const std::string& body);
std::vector<Uuid> ReadSuggestions(const std::string& body);

}  // namespace novafeed
