// Routes: method and path pattern to handler. Built once, then only read.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

class Router {
 public:
  void Add(Method method, std::string pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;     // nullptr: no such route for the method
    PathParams params;
    std::string_view pattern;             // for metrics; empty when no route has that path
    std::vector<Method> allowed;          // the methods that the path has (for 405 and Allow)
    bool bad_path = false;                // malformed escapes
  };
  // HEAD falls back to GET.
  Match Find(Method method, std::string_view path) const;

 private:
  std::vector<Route> routes_;  // plus whatever makes Find fast
};

}  // namespace novafeed
