#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

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

std::string Metrics::Render() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace novafeed
