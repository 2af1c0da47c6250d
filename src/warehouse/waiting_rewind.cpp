#include "warehouse/waiting_rewind.h"

#include <algorithm>
#include <utility>

namespace novafeed {
namespace {

SinkRewind Both(const SinkRewind& one, SinkRewind other) {
  if (one.changes) other.changes = std::min(*one.changes, other.changes.value_or(*one.changes));
  if (one.events) other.events = Least(*one.events, other.events.value_or(*one.events));
  other.state = one.state || other.state;
  return other;
}

}  // namespace

void WaitingRewind::Add(const SinkRewind& wanted) {
  const std::scoped_lock lock(mutex_);
  waiting_ = waiting_ ? Both(*waiting_, wanted) : wanted;
  ++added_;
}

bool WaitingRewind::any() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.has_value();
}

Status WaitingRewind::Do(const std::function<Status(const SinkRewind&)>& land) {
  std::optional<SinkRewind> wanted;
  std::uint64_t added = 0;
  {
    const std::scoped_lock lock(mutex_);
    wanted = waiting_;
    added = added_;
  }
  if (!wanted) return {};
  if (Status landed = land(*wanted); !landed) return landed;
  const std::scoped_lock lock(mutex_);
  if (added_ == added) waiting_.reset();
  return {};
}

bool WaitingRewind::Drop() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(waiting_, std::nullopt).has_value();
}

}  // namespace novafeed
