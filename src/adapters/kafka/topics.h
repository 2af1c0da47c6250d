// The topics that change capture writes, each with one partition.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace novafeed::kafka {

// One for each captured table; the last one holds the heartbeat's rows, which are no rows of the graph.
inline constexpr std::array<std::string_view, 6> kRowTopics = {"cdc.users", "cdc.posts",   "cdc.comments",
                                                               "cdc.likes", "cdc.follows", "cdc.cdc_heartbeat"};
inline constexpr std::size_t kHeartbeatTopic = kRowTopics.size() - 1;

// BEGIN and END of every transaction, in the order of commits.
inline constexpr std::string_view kTransactionTopic = "cdc.transaction";

}  // namespace novafeed::kafka
