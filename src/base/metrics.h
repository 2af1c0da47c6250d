// Metrics in Prometheus' model. Handles are fetched once, at construction, and are cheap and thread-safe to use.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
struct MetricFamily;
}  // namespace prometheus

namespace novafeed {

class Counter {
 public:
  explicit Counter(prometheus::Counter* handle) : handle_(handle) {}
  void Add(double by = 1) const;

 private:
  prometheus::Counter* handle_;  // owned by the registry
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge* handle) : handle_(handle) {}
  void Set(double value) const;
  void Add(double by) const;  // negative: down

 private:
  prometheus::Gauge* handle_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram* handle) : handle_(handle) {}
  void Observe(double value) const;

 private:
  prometheus::Histogram* handle_;
};

using MetricLabels = std::map<std::string, std::string>;

// All metrics as they stood at one moment, for whoever shows some of them.
class MetricsReading {
 public:
  struct Value {
    MetricLabels labels;
    double value = 0;
  };
  struct Distribution {
    std::uint64_t count = 0;
    double sum = 0;
    // Upper bound, and how many observations were at most that; the last, unbounded one is left out.
    std::vector<std::pair<double, std::uint64_t>> buckets;
  };

  explicit MetricsReading(std::vector<prometheus::MetricFamily> families);
  ~MetricsReading();
  MetricsReading(MetricsReading&&) noexcept;
  MetricsReading& operator=(MetricsReading&&) = delete;

  // Of the counters or gauges of this name; empty where nothing has made one.
  std::vector<Value> Values(const std::string& name) const;
  // Of the histogram of this name that has no labels; all zero where nothing has made it.
  Distribution DistributionOf(const std::string& name) const;

 private:
  const prometheus::MetricFamily* Find(const std::string& name) const;

  std::vector<prometheus::MetricFamily> families_;
};

// Owned by the wiring; outlives everything that holds a handle.
class Metrics {
 public:
  using Labels = MetricLabels;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Asking again for the same name and labels gives the same metric. Names carry the unit ("…_seconds", "…_total").
  Counter AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram AddHistogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                         const Labels& labels = {});

  MetricsReading Read() const;
  // Text exposition format, version 0.0.4.
  std::string Render() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
