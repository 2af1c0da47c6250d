#include "stream/event_points.h"

#include <algorithm>
#include <numeric>

namespace novafeed {

EventPoints::EventPoints(std::span<const std::int64_t> points) {
  for (std::size_t partition = 0; partition < points.size(); ++partition) points_.at(partition) = points[partition];
}

std::vector<std::int64_t> EventPoints::List() const {
  std::vector<std::int64_t> list(points_.begin(), points_.end());
  while (!list.empty() && list.back() == 0) list.pop_back();
  return list;
}

std::int64_t EventPoints::Total() const {
  return std::accumulate(points_.begin(), points_.end(), std::int64_t{0});
}

EventPoints Union(const EventPoints& a, const EventPoints& b) {
  EventPoints farther;
  for (std::size_t i = 0; i < kMaxEventPartitions; ++i) farther[i] = std::max(a[i], b[i]);
  return farther;
}

EventPoints Least(const EventPoints& a, const EventPoints& b) {
  EventPoints nearer;
  for (std::size_t i = 0; i < kMaxEventPartitions; ++i) nearer[i] = std::min(a[i], b[i]);
  return nearer;
}

bool Reached(const EventPoints& wanted, const EventPoints& applied) {
  for (std::size_t i = 0; i < kMaxEventPartitions; ++i) {
    if (wanted[i] > applied[i]) return false;
  }
  return true;
}

std::string Describe(const EventPoints& points) {
  std::string text;
  for (const std::int64_t point : points.List()) text.append(text.empty() ? "" : ", ").append(std::to_string(point));
  return text.empty() ? "0" : text;
}

}  // namespace novafeed
