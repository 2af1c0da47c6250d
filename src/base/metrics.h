// Metrics in Prometheus' model. Handles are fetched once, at construction, and are cheap and thread-safe to use.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
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

// Owned by the wiring; outlives everything that holds a handle.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Asking again for the same name and labels gives the same metric. Names carry the unit ("…_seconds", "…_total").
  Counter AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram AddHistogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                         const Labels& labels = {});

  // Text exposition format, version 0.0.4.
  std::string Render() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace novafeed
