// The topics that are read here.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace novafeed::kafka {

// One for each captured table, with one partition; the last one holds the heartbeat's rows, which are no rows of the
// graph.
inline constexpr std::array<std::string_view, 6> kRowTopics = {"cdc.users", "cdc.posts",   "cdc.comments",
                                                               "cdc.likes", "cdc.follows", "cdc.cdc_heartbeat"};
inline constexpr std::size_t kHeartbeatTopic = kRowTopics.size() - 1;

// BEGIN and END of every transaction, in the order of commits. One partition.
inline constexpr std::string_view kTransactionTopic = "cdc.transaction";

// Events, in several partitions.
inline constexpr std::string_view kEventTopic = "events";

// What could not be read on any of these. One partition.
inline constexpr std::string_view kDeadLetterTopic = "events.dlq";

}  // namespace novafeed::kafka
