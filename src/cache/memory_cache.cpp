#include "cache/memory_cache.h"

#include <functional>
#include <iterator>
#include <utility>

namespace novafeed {
namespace {

constexpr std::size_t kEntryOverhead = 160;  // the list's node, the map's slot, the strings' own allocations

}  // namespace

std::size_t MemoryCache::Entry::bytes() const {
  return key.size() + value.size() + kEntryOverhead;
}

MemoryCache::MemoryCache(const Clock* clock, std::size_t max_bytes, Metrics* metrics)
    : clock_(clock),
      bytes_of_shard_(max_bytes / kShards),
      evicted_(metrics->AddCounter("novafeed_cache_evictions_total",
                                   "Entries that the cache let go before their time, for want of room.")),
      bytes_(metrics->AddGauge("novafeed_cache_bytes", "What the cache holds.")) {}

MemoryCache::Shard& MemoryCache::ShardOf(std::string_view key) {
  return shards_.at(std::hash<std::string_view>()(key) % kShards);
}

void MemoryCache::Drop(Shard* shard, Entries::iterator entry) {
  shard->bytes -= entry->bytes();
  bytes_.Add(-static_cast<double>(entry->bytes()));
  shard->places.erase(entry->key);
  shard->entries.erase(entry);
}

Result<std::optional<std::string>> MemoryCache::Get(std::string_view key) {
  Shard& shard = ShardOf(key);
  const std::scoped_lock lock(shard.mutex);
  const auto place = shard.places.find(key);
  if (place == shard.places.end()) return std::nullopt;
  const Entries::iterator entry = place->second;
  if (clock_->Now() >= entry->ends_at) {
    Drop(&shard, entry);
    return std::nullopt;
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, entry);
  return entry->value;
}

Status MemoryCache::Put(std::string_view key, std::string value, std::chrono::milliseconds ttl) {
  Shard& shard = ShardOf(key);
  const std::scoped_lock lock(shard.mutex);
  if (const auto place = shard.places.find(key); place != shard.places.end()) Drop(&shard, place->second);
  Entry entry{std::string(key), std::move(value), clock_->Now() + ttl.count()};
  const std::size_t bytes = entry.bytes();
  if (bytes > bytes_of_shard_) return {};
  while (shard.bytes + bytes > bytes_of_shard_) {
    Drop(&shard, std::prev(shard.entries.end()));
    evicted_.Add();
  }
  shard.entries.push_front(std::move(entry));
  shard.places.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += bytes;
  bytes_.Add(static_cast<double>(bytes));
  return {};
}

Status MemoryCache::Remove(std::string_view key) {
  Shard& shard = ShardOf(key);
  const std::scoped_lock lock(shard.mutex);
  if (const auto place = shard.places.find(key); place != shard.places.end()) Drop(&shard, place->second);
  return {};
}

}  // namespace novafeed
