#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "http/client.h"
#include "http/gzip.h"
#include "http/test_client.h"
#include "runtime/await.h"
#include "runtime/io_threads.h"

namespace novafeed {
namespace {

using std::chrono::milliseconds;
using std::string_literals::operator""s;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace asio = boost::asio;

HttpResponse Problem(int status, std::string_view code, std::string_view detail, std::string_view request_id) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = "{\"code\":\"" + std::string(code) + "\",\"request_id\":\"" + std::string(request_id) + "\"}";
  if (detail.empty()) throw std::logic_error("a problem must say what to do");
  return response;
}

std::string Get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

std::string Post(const std::string& body, const std::string& headers = "") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
         "\r\n" + body;
}

const std::string& LargeBody() {
  static const std::string body(20'000'000, 'L');
  return body;
}

class HttpServerTest : public testing::Test {
 protected:
  static HttpLimits DefaultLimits() {
    HttpLimits limits;
    limits.max_header_bytes = 4096;
    limits.max_body_bytes = 100'000;
    limits.max_unpacked_bytes = 200'000;
    return limits;
  }

  HttpServer& Start(const HttpLimits& limits = DefaultLimits()) {
    RequestHandler handler = [this](const HttpRequest& request) { return Answer(&request); };
    server_.emplace(io_.contexts(), "127.0.0.1:0", limits, std::move(handler), Problem, &metrics_, "test");
    server_->Start();
    return *server_;
  }

  RawConnection Connect() { return RawConnection(server_->port()); }

  // Sends, says that this is all, and reads until the server closes.
  std::string Exchange(const std::string& bytes) {
    RawConnection connection = Connect();
    connection.Send(bytes);
    connection.EndSending();
    return connection.ReadToEnd();
  }

  asio::awaitable<HttpResponse> Answer(const HttpRequest* request) {
    ++handled_;
    HttpResponse response;
    response.content_type = "text/plain";
    response.body =
        std::string(MethodName(request->method)) + " " + request->path + "?" + request->query + " " + request->body;
    if (request->path == "/throw") throw std::runtime_error("broken handler");
    if (request->path == "/throw-odd") throw 7;
    if (request->path == "/split") response.headers = {{"Location", "/\r\nSet-Cookie: a"}};
    if (request->path == "/close") response.close = true;
    if (request->path == "/empty") response.status = 204;
    if (request->path == "/large") response.static_body = LargeBody();
    if (request->path == "/remote") response.body = request->remote_address + " " + request->request_id;
    if (request->path == "/wait") {
      std::function<void(std::function<void(int)>)> start = [this](std::function<void(int)> resume) {
        waiting_.set_value(std::move(resume));
      };
      co_await AwaitCallback<int>(std::move(start));
    }
    co_return response;
  }

  std::string Gauge() {
    const std::string text = metrics_.Render();
    const std::size_t at = text.find("novafeed_http_connections{listener=\"test\"} ");
    return text.substr(text.find(' ', at) + 1, text.find('\n', at) - text.find(' ', at) - 1);
  }

  IoThreads io_{2};
  Metrics metrics_;
  std::promise<std::function<void(int)>> waiting_;
  std::atomic<int> handled_{0};
  std::optional<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  Start();
  RawConnection connection = Connect();
  for (int i = 0; i < 3; ++i) {
    connection.Send(Get("/a?b=" + std::to_string(i)));
    const std::string answer = connection.ReadAnswer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a?b=" + std::to_string(i) + " "));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Request-Id: "));
    EXPECT_THAT(answer, Not(HasSubstr("\r\nServer:")));
  }
}

TEST_F(HttpServerTest, AddressHasTheRealPort) {
  EXPECT_EQ(Start().address(), "127.0.0.1:" + std::to_string(server_->port()));
  EXPECT_GT(server_->port(), 0);
}

TEST_F(HttpServerTest, ListensOnIpv6AndNames) {
  for (const char* listen : {"localhost:0", "[::1]:0"}) {
    HttpServer server(io_.contexts(), listen, {}, nullptr, Problem, &metrics_, "other");
    EXPECT_THAT(server.address(), EndsWith(":" + std::to_string(server.port())));
  }
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  Start();
  const auto reason = [this](const std::string& listen) {
    try {
      HttpServer server(io_.contexts(), listen, {}, nullptr, Problem, &metrics_, "other");
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(reason(server_->address()), HasSubstr("in use"));
  for (const char* bad :
       {"", "8080", ":8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "no.such.host.invalid:80"}) {
    EXPECT_THAT(reason(bad), HasSubstr("Write address:port")) << bad;
  }
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  constexpr int kRequests = 500;
  std::string bytes;
  for (int i = 0; i < kRequests; ++i) bytes += i % 2 == 0 ? Get("/" + std::to_string(i)) : Post(std::to_string(i));
  RawConnection connection = Connect();
  std::thread sender([&] { connection.Send(bytes); });
  for (int i = 0; i < kRequests; ++i) {
    const std::string wanted = i % 2 == 0 ? "GET /" + std::to_string(i) + "? " : "POST /echo? " + std::to_string(i);
    ASSERT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\n" + wanted));
  }
  sender.join();
}

TEST_F(HttpServerTest, ByteByByteIsARequestToo) {
  Start();
  RawConnection connection = Connect();
  for (const char byte : Post("hello", "X-A: b\r\n")) ASSERT_TRUE(connection.Send({&byte, 1}));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("POST /echo? hello"));
}

TEST_F(HttpServerTest, HeadHasTheHeaderOfGetAndNoBody) {
  Start();
  RawConnection connection = Connect();
  connection.Send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n" + Get("/next"));
  EXPECT_THAT(connection.ReadAnswer(false), AllOf(HasSubstr("Content-Length: 9\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("GET /next? "));
}

TEST_F(HttpServerTest, AStatusWithoutBodyHasNone) {
  Start();
  RawConnection connection = Connect();
  connection.Send(Get("/empty") + Get("/next"));
  EXPECT_THAT(connection.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 204 No Content\r\n"), Not(HasSubstr("Content-Length"))));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("GET /next? "));
}

TEST_F(HttpServerTest, ALargeAnswerReachesASlowReader) {
  Start();
  RawConnection connection = Connect();
  connection.Send(Get("/large", "Connection: close\r\n"));
  EXPECT_THAT(connection.ReadToEnd().size(), testing::Gt(LargeBody().size()));
}

TEST_F(HttpServerTest, RequestIdsAreTakenOverOrMade) {
  Start();
  EXPECT_THAT(Exchange(Get("/remote", "X-Request-Id: abc-1\r\n")),
              AllOf(HasSubstr("X-Request-Id: abc-1\r\n"), EndsWith("127.0.0.1 abc-1")));
  const std::string first = Exchange(Get("/remote", "X-Request-Id: <b>\r\n"));
  EXPECT_THAT(first, Not(HasSubstr("<b>")));
  EXPECT_NE(first, Exchange(Get("/remote")));
}

TEST_F(HttpServerTest, ContinueIsSentWhenTheClientWaitsForIt) {
  Start();
  RawConnection connection = Connect();
  connection.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: "
      "5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(connection.ReadAnswer(), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.Send("hello");
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("POST /echo? hello"));
  connection.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: "
      "100001\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(connection.ReadAnswer(), StartsWith("HTTP/1.1 413 ")) << "before the body is sent";
}

TEST_F(HttpServerTest, AHandlerThatThrowsCostsOneRequest) {
  Start();
  RawConnection connection = Connect();
  for (const char* path : {"/throw", "/throw-odd", "/split"}) {
    connection.Send(Get(path, "X-Request-Id: r7\r\n"));
    const std::string answer = connection.ReadAnswer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error\r\n")) << path;
    EXPECT_THAT(answer, EndsWith("{\"code\":\"internal\",\"request_id\":\"r7\"}")) << path;
    EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie"))) << path;
  }
  connection.Send(Get("/next"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("GET /next? "));
}

TEST_F(HttpServerTest, CloseIsKept) {
  Start();
  EXPECT_THAT(Exchange(Get("/close") + Get("/never")),
              AllOf(HasSubstr("Connection: close\r\n"), Not(HasSubstr("/never"))));
  RawConnection asked = Connect();
  asked.Send(Get("/a", "Connection: close\r\n"));
  EXPECT_THAT(asked.ReadToEnd(), HasSubstr("Connection: close\r\n"));
  RawConnection old = Connect();
  old.Send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.ReadToEnd(), EndsWith("GET /old? "));
}

// What cannot be trusted is answered with a problem, and the connection ends;
// no handler sees it.
struct BadCase {
  const char* name;
  std::string bytes;
  const char* status;
  const char* code;

  friend void PrintTo(const BadCase& bad_case, std::ostream* out) { *out << bad_case.name; }
};

class HttpServerRefusalTest : public HttpServerTest, public testing::WithParamInterface<BadCase> {};

TEST_P(HttpServerRefusalTest, IsAnsweredAndClosed) {
  Start();
  RawConnection connection = Connect();
  connection.Send(GetParam().bytes + Get("/smuggled"));
  connection.EndSending();
  const std::string answer = connection.ReadToEnd();
  EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + GetParam().status + " "));
  EXPECT_THAT(answer, HasSubstr(std::string("{\"code\":\"") + GetParam().code + "\""));
  EXPECT_THAT(answer,
              AllOf(HasSubstr("application/problem+json"), HasSubstr("Connection: close"), HasSubstr("X-Request-Id")));
  EXPECT_THAT(answer, Not(HasSubstr("smuggled")));
  EXPECT_EQ(handled_, 0);
  EXPECT_THAT(metrics_.Render(), HasSubstr("novafeed_http_refused_total{listener=\"test\"} 1\n"));
}

const std::string kPostHead = "POST /echo HTTP/1.1\r\nHost: x\r\n";

INSTANTIATE_TEST_SUITE_P(
    All, HttpServerRefusalTest,
    testing::Values(
        BadCase{"Garbage", "\x16\x03\x01\x02\r\n\r\n", "400", "malformed_request"},
        BadCase{"ControlByteInTarget", "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", "400", "malformed_request"},
        BadCase{"NulInHeader", "GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"s, "400", "malformed_request"},
        BadCase{"NoHost", "GET / HTTP/1.1\r\n\r\n", "400", "malformed_request"},
        BadCase{"BareTarget", "GET feed HTTP/1.1\r\nHost: x\r\n\r\n", "400", "malformed_request"},
        BadCase{"LengthAndCoding",
                kPostHead + "Content-Length: 5\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n0\r\n\r\n",
                "400", "bad_framing"},
        BadCase{"CodingAndLength",
                kPostHead + "Transfer-Encoding: chunked\r\nContent-Length: "
                            "5\r\n\r\n0\r\n\r\n",
                "400", "bad_framing"},
        BadCase{"UnknownCoding", kPostHead + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400", "bad_framing"},
        BadCase{"BadChunkSize", kPostHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", "400",
                "bad_framing"},
        BadCase{"ChunkLongerThanItSays", kPostHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", "400",
                "bad_framing"},
        BadCase{"LongHeader", "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a') + "\r\n\r\n", "431",
                "header_too_large"},
        BadCase{"LongBody", kPostHead + "Content-Length: 100001\r\n\r\n" + std::string(100'001, 'b'), "413",
                "body_too_large"},
        BadCase{"HugeBody", kPostHead + "Content-Length: 9000000\r\n\r\n" + std::string(9'000'000, 'b'), "413",
                "body_too_large"},
        BadCase{"LongChunkedBody",
                kPostHead + "Transfer-Encoding: chunked\r\n\r\n30d40\r\n" + std::string(200'000, 'b') + "\r\n0\r\n\r\n",
                "413", "body_too_large"},
        BadCase{"OddExpectation", kPostHead + "Content-Length: 5\r\nExpect: wonders\r\n\r\nhello", "417",
                "unknown_expectation"}),
    [](const testing::TestParamInfo<BadCase>& info) { return info.param.name; });

TEST_F(HttpServerTest, HalfARequestIsAnsweredWhereItStops) {
  Start();
  for (const std::string& half :
       {std::string("GE"), std::string("GET / HTTP/1.1\r\nHost: x\r\n"),
        Post("hello").substr(0, Post("hello").size() - 2), kPostHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"}) {
    EXPECT_THAT(Exchange(half), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("incomplete_request"))) << half;
  }
  EXPECT_EQ(Exchange(""), "");
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, GzipIsUnpackedAndABombIsNot) {
  Start();
  RawConnection connection = Connect();
  connection.Send(Post(Gzip("packed"), "Content-Encoding: gzip\r\n"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("POST /echo? packed"));
  const std::string bomb = Gzip(std::string(50'000'000, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  connection.Send(Post(bomb, "Content-Encoding: gzip\r\n"));
  EXPECT_THAT(connection.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("body_too_large")));
  connection.Send(Post("x", "Content-Encoding: br\r\n"));
  EXPECT_THAT(connection.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 415 "), HasSubstr("unsupported_encoding")));
  connection.Send(Post("x", "Content-Encoding: gzip\r\n"));
  EXPECT_THAT(connection.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("bad_gzip")));
  connection.Send(Post("still here"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("still here")) << "the bodies were read, so the connection is sound";
}

TEST_F(HttpServerTest, BodiesShareOneBudget) {
  HttpLimits limits = DefaultLimits();
  limits.body_budget = std::make_shared<ByteBudget>(100'000);
  Start(limits);
  RawConnection first = Connect();
  first.Send(Post(std::string(60'000, 'a')).substr(0, 5000));  // announced is held
  while (limits.body_budget->held() == 0) std::this_thread::yield();
  RawConnection second = Connect();
  second.Send(Post(std::string(60'000, 'b')).substr(0, 5000));
  EXPECT_THAT(second.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("\"overloaded\""),
                                         HasSubstr("Retry-After: 1\r\n"), HasSubstr("Connection: close")));
  EXPECT_THAT(metrics_.Render(), HasSubstr("novafeed_http_overloaded_total{listener=\"test\"} 1\n"));
  RawConnection small = Connect();
  small.Send(Post(std::string(10'000, 'c')));
  EXPECT_THAT(small.ReadAnswer(), HasSubstr(" 200 "));
  const std::string chunk = "C350\r\n" + std::string(50'000, 'd') + "\r\n0\r\n\r\n";
  EXPECT_THAT(Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk),
              StartsWith("HTTP/1.1 503 "));
  small.Send(Post(Gzip(std::string(50'000, 'e')), "Content-Encoding: gzip\r\n"));
  EXPECT_THAT(small.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 503 "), Not(HasSubstr("Connection: close"))));

  first.EndSending();
  EXPECT_THAT(first.ReadAnswer(), StartsWith("HTTP/1.1 400 "));
  while (limits.body_budget->held() > 0) std::this_thread::yield();
  EXPECT_THAT(Exchange(Post(std::string(60'000, 'b'))), HasSubstr(" 200 "));
}

TEST_F(HttpServerTest, SlowHeadersAndBodiesAreAnsweredAndIdleConnectionsClosed) {
  HttpLimits limits = DefaultLimits();
  limits.idle_timeout = limits.header_timeout = limits.body_timeout = milliseconds(80);
  Start(limits);
  RawConnection idle = Connect();
  EXPECT_EQ(idle.ReadToEnd(), "") << "without a word";
  RawConnection slow_header = Connect();
  slow_header.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_THAT(slow_header.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("request_timeout")));
  RawConnection slow_body = Connect();
  slow_body.Send(Post("hello").substr(0, Post("hello").size() - 1));
  EXPECT_THAT(slow_body.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("request_timeout")));
}

TEST_F(HttpServerTest, DribblingDoesNotStretchTheTime) {
  HttpLimits limits = DefaultLimits();
  limits.header_timeout = milliseconds(200);
  Start(limits);
  RawConnection connection = Connect();
  std::atomic<bool> answered{false};
  connection.Send("GET / HTTP/1.1\r\nHost: x\r\nA: ");
  std::thread dribble([&] {
    while (!answered) {
      connection.Send("a");
      std::this_thread::yield();
      for (int i = 0; i < 1000 && !answered; ++i) std::this_thread::yield();
    }
  });
  const std::string answer = connection.ReadAnswer();
  answered = true;
  dribble.join();
  EXPECT_THAT(answer, testing::AnyOf(HasSubstr("request_timeout"), HasSubstr("header_too_large")));
}

TEST_F(HttpServerTest, AReaderThatStopsIsCut) {
  HttpLimits limits = DefaultLimits();
  limits.write_timeout = milliseconds(100);
  Start(limits);
  RawConnection connection = Connect();
  connection.Send(Get("/large"));
  while (Gauge() != "1") std::this_thread::yield();
  while (Gauge() != "0") std::this_thread::yield();
  EXPECT_LT(connection.ReadToEnd().size(), LargeBody().size());
}

TEST_F(HttpServerTest, TooManyConnectionsAreTurnedAwayUntilOneEnds) {
  HttpLimits limits = DefaultLimits();
  limits.max_connections = 2;
  Start(limits);
  std::optional<RawConnection> first(Connect());
  RawConnection second = Connect();
  first->Send(Get("/1"));
  second.Send(Get("/2"));
  EXPECT_THAT(first->ReadAnswer(), HasSubstr(" 200 "));
  EXPECT_THAT(second.ReadAnswer(), HasSubstr(" 200 "));
  EXPECT_THAT(Exchange(Get("/3")),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("too_many_connections"), HasSubstr("Retry-After: 1\r\n")));
  first.reset();
  while (Gauge() != "1") std::this_thread::yield();
  EXPECT_THAT(Exchange(Get("/4")), HasSubstr(" 200 "));
}

std::size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  statm >> pages >> pages;
  return pages * 4096;
}

TEST_F(HttpServerTest, ThousandsOfIdleConnectionsAreCheap) {
  constexpr std::size_t kConnections = 2000;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 3 * kConnections);
  setrlimit(RLIMIT_NOFILE, &files);
  Start();
  const std::size_t before = ResidentBytes();
  std::vector<RawConnection> connections;
  connections.reserve(kConnections);
  for (std::size_t i = 0; i < kConnections; ++i) connections.push_back(Connect());
  for (RawConnection& connection : connections) connection.Send(Get("/" + std::string(2000, 'a')));
  for (RawConnection& connection : connections) ASSERT_THAT(connection.ReadAnswer(), HasSubstr(" 200 "));
  EXPECT_EQ(Gauge(), std::to_string(kConnections));
  const std::size_t each = (ResidentBytes() - std::min(before, ResidentBytes())) / kConnections;
  RecordProperty("bytes_each", static_cast<int>(each));
#if !defined(__has_feature) || !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
  EXPECT_LT(each, 6000u) << "the client's side of this test included";
#endif
  EXPECT_THAT(Exchange(Get("/one-more")), HasSubstr(" 200 "));
}

TEST_F(HttpServerTest, DrainLetsRunningRequestsEndAndClosesTheRest) {
  Start();
  RawConnection busy = Connect();
  busy.Send(Get("/wait") + Get("/never"));
  const std::function<void(int)> resume = waiting_.get_future().get();
  std::vector<RawConnection> idle;
  for (std::size_t i = 0; i < io_.contexts().size(); ++i) idle.push_back(Connect());  // one on each I/O thread
  for (RawConnection& connection : idle) {
    connection.Send(Get("/a"));
    EXPECT_THAT(connection.ReadAnswer(), HasSubstr(" 200 "));
  }
  std::thread drain([this] { server_->Drain(milliseconds(30'000)); });
  for (RawConnection& connection : idle) EXPECT_EQ(connection.ReadToEnd(), "");
  resume(1);
  EXPECT_THAT(busy.ReadToEnd(), AllOf(HasSubstr(" 200 "), HasSubstr("Connection: close"), Not(HasSubstr("/never"))));
  drain.join();
  EXPECT_EQ(Gauge(), "0");
  EXPECT_THROW(Connect(), std::runtime_error);
}

TEST_F(HttpServerTest, DrainCutsWhatIsStillSendingAfterTheGrace) {
  Start();
  RawConnection half = Connect();
  half.Send("GET / HT");
  while (Gauge() != "1") std::this_thread::yield();
  server_->Drain(milliseconds(50));
  EXPECT_EQ(Gauge(), "0");
  half.ReadToEnd();
}

TEST_F(HttpServerTest, ADestroyedServerLeavesNothingBehind) {
  Start();
  RawConnection connection = Connect();
  connection.Send(Get("/a"));
  EXPECT_THAT(connection.ReadAnswer(), HasSubstr(" 200 "));
  server_.reset();
  EXPECT_EQ(connection.ReadToEnd(), "");
  EXPECT_EQ(Gauge(), "0");
}

TEST_F(HttpServerTest, StoppedThreadsBeforeTheServerAreNoHarm) {
  Start();
  RawConnection connection = Connect();
  connection.Send(Get("/wait"));
  const std::function<void(int)> resume = waiting_.get_future().get();
  io_.Stop();
  server_.reset();
}

TEST_F(HttpServerTest, ManyClientsAtOnce) {
  Start();
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      auto client = HttpClient::Connect("http://" + server_->address(), milliseconds(30'000));
      for (int i = 0; i < 200 && client; ++i) {
        const std::string body = std::to_string(c) + "/" + std::to_string(i);
        const auto response = client->Send(Method::kPost, "/echo", {}, body);
        right += response && response->body == "POST /echo? " + body ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 8 * 200);
}

class HttpClientTest : public HttpServerTest {
 protected:
  HttpClient Open() { return HttpClient::Connect("http://" + server_->address() + "/", milliseconds(30'000)).value(); }
};

TEST_F(HttpClientTest, SendsAndReads) {
  Start();
  HttpClient client = Open();
  const HttpResponse response = client.Send(Method::kPut, "/p?q", {{"X-Request-Id", "r1"}}, "body").value();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(response.body, "PUT /p?q body");
  EXPECT_EQ(client.Send(Method::kHead, "/h", {}, "")->body, "");
  EXPECT_EQ(client.Send(Method::kGet, "/empty", {}, "")->status, 204);
  EXPECT_EQ(client.Send(Method::kGet, "/large", {}, "")->body.size(), LargeBody().size());
}

TEST_F(HttpClientTest, GoesOnAfterTheServerClosed) {
  HttpLimits limits = DefaultLimits();
  limits.idle_timeout = milliseconds(50);
  Start(limits);
  HttpClient client = Open();
  EXPECT_TRUE(client.Send(Method::kGet, "/close", {}, ""));
  EXPECT_TRUE(client.Send(Method::kGet, "/a", {}, ""));
  while (Gauge() != "0") std::this_thread::yield();
  EXPECT_TRUE(client.Send(Method::kGet, "/b", {}, "")) << "the kept connection was closed meanwhile";
}

TEST_F(HttpClientTest, SeesAnEarlyRefusalOfALongBody) {
  Start();
  HttpClient client = Open();
  const auto response = client.Send(Method::kPost, "/echo", {}, std::string(1'000'000, 'b'));
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(response->status, 413);
}

TEST_F(HttpClientTest, ErrorsSayWhatToDo) {
  Start();
  for (const char* bad :
       {"", "https://x", "http://", "x:80", "http://x:y", "http://x/path", "http://a@x", "http://[::1"}) {
    const auto client = HttpClient::Connect(bad, milliseconds(1000));
    ASSERT_FALSE(client) << bad;
    EXPECT_EQ(client.error().code, "bad_url") << bad;
  }
  HttpClient client = Open();
  const std::string address = server_->address();
  server_.reset();
  EXPECT_EQ(client.Send(Method::kGet, "/", {}, "").error().failure, Failure::kUnavailable);
  const auto refused = HttpClient::Connect("http://" + address, milliseconds(1000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "cannot_connect");
}

TEST_F(HttpClientTest, WaitsNoLongerThanItsTimeout) {
  Start();
  auto client = HttpClient::Connect("http://" + server_->address(), milliseconds(100));
  const auto response = client->Send(Method::kGet, "/wait", {}, "");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "timeout");
  waiting_.get_future().get()(1);
}

}  // namespace
}  // namespace novafeed
