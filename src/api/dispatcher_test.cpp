#include "api/dispatcher.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <stdexcept>
#include <string>

#include "graph/store.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;

asio::awaitable<HttpResponse> Echo(HttpRequest, PathParams params) {
  HttpResponse response;
  for (const std::string& param : params) response.body += param + ";";
  co_return response;
}

asio::awaitable<HttpResponse> FailAsBug(HttpRequest, PathParams) {
  throw std::runtime_error("a secret of the inside");
  co_return HttpResponse();
}

asio::awaitable<HttpResponse> FailAsStore(HttpRequest, PathParams) {
  throw StoreError(Error{Failure::kStorageFull, "disk_full", "The disk is full: make room.", 0});
  co_return HttpResponse();
}

class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest() {
    dispatcher_.Add(Method::kGet, "/things/{}/parts/{}", Echo);
    dispatcher_.Add(Method::kDelete, "/things/{}/parts/{}", Echo);
    dispatcher_.Add(Method::kGet, "/bug", FailAsBug);
    dispatcher_.Add(Method::kGet, "/full", FailAsStore);
  }

  HttpResponse Send(Method method, const std::string& path) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.request_id = "r-1";
    asio::io_context io;
    std::future<HttpResponse> response = asio::co_spawn(io, dispatcher_.handler()(request), asio::use_future);
    io.run();
    return response.get();
  }

  static std::string HeaderOf(const HttpResponse& response, std::string_view name) {
    for (const auto& [candidate, value] : response.headers) {
      if (candidate == name) return value;
    }
    return "";
  }

  bool open_ = true;
  Metrics metrics_;
  Dispatcher dispatcher_{&metrics_, "test", [this](const HttpRequest&) -> Status {
                           if (open_) return {};
                           return Fail(Failure::kUnavailable, "booting", "Wait.", 1500);
                         }};
};

TEST_F(DispatcherTest, RoutesWithDecodedParameters) {
  EXPECT_EQ(Send(Method::kGet, "/things/a%20b/parts/c").body, "a b;c;");
  EXPECT_EQ(Send(Method::kHead, "/things/a/parts/c").status, 200);
}

TEST_F(DispatcherTest, UnknownPathIs404) {
  const HttpResponse response = Send(Method::kGet, "/things");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_NE(response.body.find(R"("request_id":"r-1")"), std::string::npos);
}

TEST_F(DispatcherTest, OtherMethodIs405WithAllow) {
  const HttpResponse response = Send(Method::kPut, "/things/a/parts/b");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(HeaderOf(response, "Allow"), "GET, HEAD, DELETE");
}

TEST_F(DispatcherTest, MalformedPathIs400) {
  EXPECT_EQ(Send(Method::kGet, "/things/%zz/parts/b").status, 400);
}

TEST_F(DispatcherTest, AStoreThatFailsIsAnsweredAsItsError) {
  const HttpResponse response = Send(Method::kGet, "/full");
  EXPECT_EQ(response.status, 507);
  EXPECT_NE(response.body.find(R"("code":"disk_full")"), std::string::npos);
}

TEST_F(DispatcherTest, ABugIsA500ThatTellsNothing) {
  const HttpResponse response = Send(Method::kGet, "/bug");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
}

TEST_F(DispatcherTest, TheGateAnswersForEveryPath) {
  open_ = false;
  for (const char* path : {"/things/a/parts/b", "/nowhere"}) {
    const HttpResponse response = Send(Method::kGet, path);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(HeaderOf(response, "Retry-After"), "2");
  }
}

TEST_F(DispatcherTest, EveryAnswerIsCountedAndTimed) {
  EXPECT_EQ(HeaderOf(Send(Method::kGet, "/things/a/parts/b"), "Server-Timing").substr(0, 10), "total;dur=");
  Send(Method::kGet, "/things/x/parts/y");
  Send(Method::kGet, "/nowhere");
  Send(Method::kGet, "/full");
  const std::string text = metrics_.Render();
  const auto counted = [&text](const std::string& labels) {
    const std::string start = "novafeed_http_requests_total{listener=\"test\"," + labels + "} ";
    const std::size_t at = text.find(start);
    return at == std::string::npos ? "none" : text.substr(at + start.size(), 1);
  };
  EXPECT_EQ(counted(R"(method="GET",route="/things/{}/parts/{}",status="2xx")"), "2") << text;
  EXPECT_EQ(counted(R"(method="GET",route="/full",status="5xx")"), "1");
  EXPECT_EQ(counted(R"(method="any",route="unrouted",status="4xx")"), "1");
}

}  // namespace
}  // namespace novafeed
