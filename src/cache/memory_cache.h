// The cache of one process: sharded, bounded in bytes, the least recently used goes first.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/time.h"
#include "cache/cache.h"

namespace novafeed {

class MemoryCache final : public Cache {
 public:
  // Keys, values and what it costs to keep them take at most about `max_bytes`; a value that is greater than a shard's
  // part of that is not kept. `clock` and `metrics` outlive it.
  MemoryCache(const Clock* clock, std::size_t max_bytes, Metrics* metrics);

  Result<std::optional<std::string>> Get(std::string_view key) override;
  Status Put(std::string_view key, std::string value, std::chrono::milliseconds ttl) override;
  Status Remove(std::string_view key) override;

 private:
  struct Entry {
    std::string key;
    std::string value;
    TimeMs ends_at;  // no longer there from this instant on
    std::size_t bytes() const;
  };
  using Entries = std::list<Entry>;  // the most recently used first
  struct Shard {
    std::mutex mutex;
    Entries entries;
    boost::unordered_flat_map<std::string_view, Entries::iterator> places;  // keys live in the entries
    std::size_t bytes = 0;
  };

  Shard& ShardOf(std::string_view key);
  void Drop(Shard* shard, Entries::iterator entry);

  static constexpr std::size_t kShards = 16;
  const Clock* const clock_;
  const std::size_t bytes_of_shard_;
  const Counter evicted_;
  const Gauge bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace novafeed
