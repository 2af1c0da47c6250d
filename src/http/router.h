// Routes: method and path pattern to handler. Built once, then only read.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace novafeed {

// Decoded path parameters in the order of the pattern's "{}" segments.
using PathParams = std::vector<std::string>;

// Runs on the connection's I/O thread. The request outlives the returned awaitable.
using Handler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&, PathParams)>;

struct Route {
  Method method;
  std::string pattern;  // "/api/v1/posts/{}/like"
  Handler handler;
};

// Literal segments win over "{}". Built by one thread; Find is safe from any once that is done.
class Router {
 public:
  // The same method and path twice is a bug: std::logic_error.
  void Add(Method method, std::string pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // nullptr: no such route for the method
    PathParams params;
    std::string_view pattern;     // for metrics; empty when no route has that path
    std::vector<Method> allowed;  // the methods that the path has (for 405 and Allow)
    bool bad_path = false;        // malformed escapes
  };
  // Splits `path` (percent-encoded, beginning with '/') into segments, each decoded for itself, so an escaped slash
  // stays within its parameter. No parameter is empty. HEAD falls back to GET.
  Match Find(Method method, std::string_view path) const;

 private:
  // A node of the tree of segments; children by index into nodes_, 0 (the root) for none.
  struct Node {
    std::vector<std::pair<std::string, std::size_t>> literals;
    std::size_t parameter = 0;
    std::vector<std::size_t> routes;  // into routes_: one for each method
  };

  std::size_t ChildFor(std::size_t node, std::string_view pattern_segment);
  const Node* Walk(const Node& node, const std::vector<std::string>& segments, std::size_t at,
                   PathParams* params) const;
  const Route* RouteFor(const Node& node, Method method) const;

  std::vector<Route> routes_;
  std::vector<Node> nodes_{Node{}};
};

}  // namespace novafeed
