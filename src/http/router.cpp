#include "http/router.h"

#include <algorithm>
#include <stdexcept>

namespace novafeed {
namespace {

constexpr std::string_view kParameter = "{}";

// The segments after the leading '/'; "/" has one, which is empty.
template <class Take>
void ForEachSegment(std::string_view path, Take take) {
  for (path.remove_prefix(1);;) {
    const std::size_t slash = path.find('/');
    take(path.substr(0, slash));
    if (slash == path.npos) return;
    path.remove_prefix(slash + 1);
  }
}

// Empty where the path does not begin with '/' or an escape is malformed.
std::vector<std::string> DecodeSegments(std::string_view path) {
  std::vector<std::string> segments;
  if (path.empty() || path.front() != '/') return segments;
  segments.reserve(8);
  bool decoded = true;
  ForEachSegment(path, [&](std::string_view raw) {
    std::optional<std::string> segment = DecodePercent(raw);
    decoded = decoded && segment;
    if (decoded) segments.push_back(std::move(*segment));
  });
  if (!decoded) segments.clear();
  return segments;
}

}  // namespace

void Router::Add(Method method, std::string pattern, Handler handler) {
  if (pattern.empty() || pattern.front() != '/') throw std::logic_error("a route must begin with '/': " + pattern);
  std::size_t node = 0;
  ForEachSegment(pattern, [&](std::string_view segment) { node = ChildFor(node, segment); });
  for (const std::size_t route : nodes_[node].routes) {
    if (routes_[route].method == method) throw std::logic_error("route added twice: " + pattern);
  }
  nodes_[node].routes.push_back(routes_.size());
  routes_.push_back({method, std::move(pattern), std::move(handler)});
}

std::size_t Router::ChildFor(std::size_t node, std::string_view pattern_segment) {
  const bool is_parameter = pattern_segment == kParameter;
  if (is_parameter && nodes_[node].parameter != 0) return nodes_[node].parameter;
  for (const auto& [literal, child] : nodes_[node].literals) {
    if (literal == pattern_segment) return child;
  }
  const std::size_t child = nodes_.size();
  nodes_.emplace_back();
  if (is_parameter) {
    nodes_[node].parameter = child;
  } else {
    nodes_[node].literals.emplace_back(pattern_segment, child);
  }
  return child;
}

Router::Match Router::Find(Method method, std::string_view path) const {
  Match match;
  const std::vector<std::string> segments = DecodeSegments(path);
  match.bad_path = segments.empty();
  if (match.bad_path) return match;
  const Node* node = Walk(nodes_.front(), segments, 0, &match.params);
  if (node == nullptr) return match;
  match.pattern = routes_[node->routes.front()].pattern;
  for (const std::size_t route : node->routes) match.allowed.push_back(routes_[route].method);
  if (const Route* route = RouteFor(*node, method)) match.handler = &route->handler;
  return match;
}

const Router::Node* Router::Walk(const Node& node, const std::vector<std::string>& segments, std::size_t at,
                                 PathParams* params) const {
  if (at == segments.size()) return node.routes.empty() ? nullptr : &node;
  const std::string& segment = segments[at];
  for (const auto& [literal, child] : node.literals) {
    if (literal != segment) continue;
    if (const Node* found = Walk(nodes_[child], segments, at + 1, params)) return found;
  }
  if (node.parameter == 0 || segment.empty()) return nullptr;
  params->push_back(segment);
  const Node* found = Walk(nodes_[node.parameter], segments, at + 1, params);
  if (found == nullptr) params->pop_back();
  return found;
}

const Route* Router::RouteFor(const Node& node, Method method) const {
  const Route* get = nullptr;
  for (const std::size_t index : node.routes) {
    const Route& route = routes_[index];
    if (route.method == method) return &route;
    if (route.method == Method::kGet) get = &route;
  }
  return method == Method::kHead ? get : nullptr;
}

}  // namespace novafeed
