// How ClickHouse itself lands the topics (the cluster profile): tables of its Kafka engine in a database of their own,
// each with a view that puts its messages into the landing table. The schema is the same in both profiles.
//
// These tables keep nothing: what was landed is known to Kafka, as the offsets of a consumer group for each topic. So
// they are dropped to hold landing still and made anew to go on, and a settings change is made by making them anew.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "warehouse/olap.h"

namespace novafeed {

struct KafkaLanding {
  std::string broker_list;              // "host:port,host:port", as ClickHouse reaches them
  std::string group_name = "novafeed";  // the consumer group of each topic is this, a dash, and the topic
};

// The consumer group that lands a topic.
std::string LandingGroup(std::string_view group_name, std::string_view topic);

// The script that makes the tables and views. Pure.
std::string RenderKafkaLanding(const KafkaLanding& landing);

// Begins landing, where it does not land yet; it takes a second or two until the groups have found together. Errors of
// the port.
Status BeginKafkaLanding(Olap* olap, const KafkaLanding& landing);
// Ends landing: returns when every block that was on its way is written and committed, or given up. Errors of the port;
// then some tables may still land.
Status EndKafkaLanding(Olap* olap);

}  // namespace novafeed
