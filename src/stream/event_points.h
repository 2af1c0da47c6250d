// How far the partitions of the event log go. Events of one post are in one partition, in their order; between
// partitions there is no order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace novafeed {

// As many as fit into a position and a cursor (position.h, timeline/cursor.h).
inline constexpr std::size_t kMaxEventPartitions = 16;

// A point for each partition: the sequence of the last event there that is written, applied or forgotten; 0 where there
// is none. Sequences begin with 1 in each partition.
class EventPoints {
 public:
  EventPoints() = default;
  // Of the first partitions; the others are 0. std::out_of_range where they are more than kMaxEventPartitions.
  EventPoints(std::initializer_list<std::int64_t> points) : EventPoints(std::span(points.begin(), points.size())) {}
  explicit EventPoints(std::span<const std::int64_t> points);

  // std::out_of_range beyond kMaxEventPartitions.
  std::int64_t operator[](std::size_t partition) const { return points_.at(partition); }
  std::int64_t& operator[](std::size_t partition) { return points_.at(partition); }

  // Of all partitions up to the last that has one.
  std::vector<std::int64_t> List() const;
  // Of all partitions together: events, where they were counted from 1 without a gap. For lags and progress.
  std::int64_t Total() const;

  friend bool operator==(const EventPoints&, const EventPoints&) = default;

 private:
  std::array<std::int64_t, kMaxEventPartitions> points_{};
};

// Of each partition the farther point.
EventPoints Union(const EventPoints& a, const EventPoints& b);
// Of each partition the nearer point.
EventPoints Least(const EventPoints& a, const EventPoints& b);
// Whether each point is.
bool Reached(const EventPoints& wanted, const EventPoints& applied);
// For people: "7"; "7, 0, 2" where there are several partitions.
std::string Describe(const EventPoints& points);

}  // namespace novafeed
