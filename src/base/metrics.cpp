#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>

namespace novafeed {

void Counter::Add(double by) const {
  handle_->Increment(by);
}
void Gauge::Set(double value) const {
  handle_->Set(value);
}
void Gauge::Add(double by) const {
  handle_->Increment(by);
}
void Histogram::Observe(double value) const {
  handle_->Observe(value);
}

MetricsReading::MetricsReading(std::vector<prometheus::MetricFamily> families) : families_(std::move(families)) {}
MetricsReading::~MetricsReading() = default;
MetricsReading::MetricsReading(MetricsReading&&) noexcept = default;

const prometheus::MetricFamily* MetricsReading::Find(const std::string& name) const {
  const auto found = std::ranges::find(families_, name, &prometheus::MetricFamily::name);
  return found == families_.end() ? nullptr : &*found;
}

std::vector<MetricsReading::Value> MetricsReading::Values(const std::string& name) const {
  std::vector<Value> values;
  const prometheus::MetricFamily* const family = Find(name);
  if (family == nullptr) return values;
  for (const prometheus::ClientMetric& metric : family->metric) {
    Value value;
    for (const auto& label : metric.label) value.labels.emplace(label.name, label.value);
    value.value = family->type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
    values.push_back(std::move(value));
  }
  return values;
}

MetricsReading::Distribution MetricsReading::DistributionOf(const std::string& name) const {
  Distribution read;
  const prometheus::MetricFamily* const family = Find(name);
  if (family == nullptr) return read;
  const auto plain = std::ranges::find_if(family->metric, [](const auto& metric) { return metric.label.empty(); });
  if (plain == family->metric.end()) return read;
  read.count = plain->histogram.sample_count;
  read.sum = plain->histogram.sample_sum;
  for (const auto& bucket : plain->histogram.bucket) {
    if (std::isfinite(bucket.upper_bound)) read.buckets.emplace_back(bucket.upper_bound, bucket.cumulative_count);
  }
  return read;
}

struct Metrics::State {
  prometheus::Registry registry;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::AddCounter(const std::string& name, const std::string& help, const Labels& labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
  return Counter(&family.Add(labels));
}

Gauge Metrics::AddGauge(const std::string& name, const std::string& help, const Labels& labels) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
  return Gauge(&family.Add(labels));
}

Histogram Metrics::AddHistogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                                const Labels& labels) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return Histogram(&family.Add(labels, buckets));
}

MetricsReading Metrics::Read() const {
  return MetricsReading(state_->registry.Collect());
}

std::string Metrics::Render() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace novafeed
