#include "http/request_parser.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "base/test_support.h"
#include "http/gzip.h"

namespace novafeed {
namespace {

using Progress = RequestParser::Progress;
using std::string_literals::operator""s;

const HttpLimits kLimits{.max_header_bytes = 1024, .max_body_bytes = 2000, .max_unpacked_bytes = 5000};

// What became of one request.
struct Parsed {
  Progress progress = Progress::kNeedHeader;
  HttpRequest request;
  Refusal refusal;
  bool keep_alive = false;
  std::string left;
};

Parsed Parse(std::string bytes) {
  RequestParser parser(&kLimits);
  Parsed parsed;
  parsed.progress = parser.Feed(&bytes);
  parsed.left = bytes;
  if (parsed.progress == Progress::kRefused) parsed.refusal = parser.refusal();
  if (parsed.progress == Progress::kDone) {
    parsed.keep_alive = parser.keep_alive();
    parsed.request = parser.Take();
  }
  return parsed;
}

std::string Get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

std::string Post(const std::string& headers, const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

std::string Sized(const std::string& body, const std::string& headers = "") {
  return Post("Content-Length: " + std::to_string(body.size()) + "\r\n" + headers, body);
}

void ExpectRefused(const std::string& bytes, int status, const std::string& code) {
  const Parsed parsed = Parse(bytes);
  EXPECT_EQ(parsed.progress, Progress::kRefused) << testing::PrintToString(bytes);
  EXPECT_EQ(parsed.refusal.status, status) << testing::PrintToString(bytes);
  EXPECT_EQ(parsed.refusal.code, code) << testing::PrintToString(bytes);
  EXPECT_FALSE(parsed.refusal.detail.empty());
}

TEST(RequestParser, TakesARequestApart) {
  const Parsed parsed = Parse(Get("/api/v1/feed?limit=20&x=%20", "Accept: a/b\r\nX-Two: 1\r\nX-Two: 2\r\n") + "next");
  ASSERT_EQ(parsed.progress, Progress::kDone);
  EXPECT_EQ(parsed.request.method, Method::kGet);
  EXPECT_EQ(parsed.request.path, "/api/v1/feed");
  EXPECT_EQ(parsed.request.query, "limit=20&x=%20");
  EXPECT_EQ(parsed.request.Header("accept"), "a/b");
  EXPECT_EQ(parsed.request.AllHeaders("x-two").size(), 2u);
  EXPECT_TRUE(parsed.keep_alive);
  EXPECT_EQ(parsed.left, "next");
}

TEST(RequestParser, ReadsBodiesOfBothFramings) {
  EXPECT_EQ(Parse(Sized("hello")).request.body, "hello");
  const Parsed chunked =
      Parse(Post("Transfer-Encoding: chunked\r\n", "3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nTrailer-X: 1\r\n\r\nnext"));
  EXPECT_EQ(chunked.request.body, "hello");
  EXPECT_EQ(chunked.request.Header("Trailer-X"), "") << "a trailer is no header";
  EXPECT_EQ(chunked.left, "next");
}

TEST(RequestParser, NothingDependsOnHowTheBytesCome) {
  std::mt19937_64 random(TestSeed());
  const std::string stream =
      Get("/a?b") + Sized("hello") +
      Post("Transfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n") +
      Sized(Gzip("unpacked"), "Content-Encoding: gzip\r\n") + "\r\n\r\n" + Get("/last");
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> seen;
    std::string pending;
    auto parser = std::make_unique<RequestParser>(&kLimits);
    const std::size_t longest = 1 + random() % (round % 2 == 0 ? 3 : 200);
    for (std::size_t at = 0; at < stream.size() || !pending.empty();) {
      const std::size_t count = std::min(1 + random() % longest, stream.size() - at);
      pending.append(stream, at, count);
      at += count;
      const Progress progress = parser->Feed(&pending);
      ASSERT_NE(progress, Progress::kRefused) << parser->refusal().detail;
      if (progress != Progress::kDone) continue;
      const HttpRequest request = parser->Take();
      seen.push_back(request.path + "|" + request.query + "|" + request.body);
      parser = std::make_unique<RequestParser>(&kLimits);
    }
    ASSERT_EQ(seen, (std::vector<std::string>{"/a|b|", "/p||hello", "/p||0123456789hello", "/p||unpacked", "/last||"}));
  }
}

TEST(RequestParser, TargetsInTheirForms) {
  EXPECT_EQ(Parse(Get("http://host:1/p?q")).request.path, "/p");
  EXPECT_EQ(Parse(Get("http://host:1/p?q")).request.query, "q");
  EXPECT_EQ(Parse(Get("HTTPS://host")).request.path, "/");
  EXPECT_EQ(Parse(Get("http://host?q")).request.path, "/");
  EXPECT_EQ(Parse(Get("http://host?q")).request.query, "q");
  EXPECT_EQ(Parse(Get("//x")).request.path, "//x");
  EXPECT_EQ(Parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").request.path, "*");
  for (const char* bad : {"p", "*", "?q", "ftp://host/p", "/a#b", "host:80"})
    ExpectRefused(Get(bad), 400, "malformed_request");
}

TEST(RequestParser, MethodsItDoesNotKnowArePassedOn) {
  EXPECT_EQ(Parse("BREW / HTTP/1.1\r\nHost: x\r\n\r\n").request.method, Method::kOther);
  EXPECT_EQ(Parse("get / HTTP/1.1\r\nHost: x\r\n\r\n").request.method, Method::kOther);
  EXPECT_EQ(Parse("PATCH / HTTP/1.1\r\nHost: x\r\n\r\n").request.method, Method::kPatch);
}

TEST(RequestParser, RefusesWhatIsNotHttp11) {
  for (const char* bad :
       {"GET /\r\n\r\n", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "\x16\x03\x01\x02",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\x01"
        "c\r\n\r\n",
        "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n: v\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "{\"events\":[]}\r\n\r\n"}) {
    ExpectRefused(bad, 400, "malformed_request");
  }
  ExpectRefused("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"s, 400, "malformed_request");
  ExpectRefused("GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"s, 400, "malformed_request");
}

TEST(RequestParser, RefusesEveryDoubtAboutTheBodysEnd) {
  for (const char* headers :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 6\r\n", "Content-Length: -5\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length:\r\n",
        "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"}) {
    ExpectRefused(Post(headers, "5\r\nhello\r\n0\r\n\r\n"), 400, "bad_framing");
  }
  ExpectRefused(
      "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      400, "bad_framing");
}

TEST(RequestParser, RefusesBadChunking) {
  for (const char* body : {"x\r\nhello\r\n", "5\r\nhelloworld\r\n0\r\n\r\n", "-1\r\n\r\n", "5hello\r\n",
                           "11111111111111111\r\n", ";x=1\r\n", "0x5\r\nhello\r\n0\r\n\r\n"}) {
    const Parsed parsed = Parse(Post("Transfer-Encoding: chunked\r\n", body));
    EXPECT_EQ(parsed.progress, Progress::kRefused) << body;
    EXPECT_TRUE(parsed.refusal.status == 400 || parsed.refusal.status == 413) << body << parsed.refusal.status;
    EXPECT_FALSE(parsed.refusal.at_boundary);
  }
  ExpectRefused(Post("Transfer-Encoding: chunked\r\n", "5;" + std::string(3000, 'x')), 400, "bad_framing");
}

TEST(RequestParser, HoldsTheHeaderLimit) {
  const std::size_t rest = Get("/", "A: \r\n").size();
  EXPECT_EQ(Parse(Get("/", "A: " + std::string(1024 - rest, 'a') + "\r\n")).progress, Progress::kDone);
  ExpectRefused(Get("/", "A: " + std::string(1025 - rest, 'a') + "\r\n"), 431, "header_too_large");
  ExpectRefused("GET /" + std::string(2000, 'a'), 431, "header_too_large");
  std::string many;
  for (int i = 0; i < 400; ++i) many += "A: b\r\n";
  ExpectRefused(Get("/", many), 431, "header_too_large");
}

TEST(RequestParser, HoldsTheHeaderLimitWhenLinesComeOneByOne) {
  RequestParser parser(&kLimits);
  std::string bytes = "GET / HTTP/1.1\r\nHost: x\r\n";
  Progress progress = parser.Feed(&bytes);
  std::size_t sent = 25;
  for (; progress == Progress::kNeedHeader && sent < 10'000; sent += 6) {
    bytes += "A: b\r\n";
    progress = parser.Feed(&bytes);
  }
  EXPECT_EQ(progress, Progress::kRefused);
  EXPECT_EQ(parser.refusal().code, "header_too_large");
  EXPECT_LT(sent, 1100u);
}

TEST(RequestParser, HoldsTheBodyLimitAndSaysSoBeforeTheBody) {
  EXPECT_EQ(Parse(Sized(std::string(2000, 'b'))).request.body.size(), 2000u);
  ExpectRefused(Post("Content-Length: 2001\r\n", ""), 413, "body_too_large");
  ExpectRefused(Post("Transfer-Encoding: chunked\r\n", "7d0\r\n" + std::string(2000, 'b') + "\r\n1\r\n"), 413,
                "body_too_large");
  ExpectRefused(Post("Transfer-Encoding: chunked\r\n", "ffffffff\r\n"), 413, "body_too_large");
}

TEST(RequestParser, UnpacksGzipWithinItsLimit) {
  EXPECT_EQ(Parse(Sized(Gzip(std::string(5000, 'g')), "Content-Encoding: gzip\r\n")).request.body,
            std::string(5000, 'g'));
  EXPECT_EQ(Parse(Sized("plain", "Content-Encoding: identity\r\n")).request.body, "plain");
  const Parsed bomb = Parse(Sized(Gzip(std::string(1'000'000, 'g')), "Content-Encoding: GZIP\r\n"));
  EXPECT_EQ(bomb.refusal.status, 413);
  EXPECT_EQ(bomb.refusal.code, "body_too_large");
  EXPECT_TRUE(bomb.refusal.at_boundary);
  ExpectRefused(Sized("no gzip", "Content-Encoding: gzip\r\n"), 400, "bad_gzip");
  for (const char* other : {"br", "deflate", "gzip, gzip", "gzip\r\nContent-Encoding: gzip"}) {
    ExpectRefused(Sized("x", std::string("Content-Encoding: ") + other + "\r\n"), 415, "unsupported_encoding");
  }
}

TEST(RequestParser, ExpectIsUnderstoodOrRefused) {
  RequestParser parser(&kLimits);
  std::string bytes = Post("Content-Length: 5\r\nExpect: 100-Continue\r\n", "");
  EXPECT_EQ(parser.Feed(&bytes), Progress::kNeedBody);
  EXPECT_TRUE(parser.wants_continue());
  ExpectRefused(Post("Content-Length: 5\r\nExpect: wonders\r\n", ""), 417, "unknown_expectation");
}

TEST(RequestParser, ConnectionsThatEnd) {
  EXPECT_FALSE(Parse(Get("/", "Connection: close\r\n")).keep_alive);
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_EQ(Parse("GET / HTTP/1.0\r\n\r\n").progress, Progress::kDone) << "HTTP/1.0 needs no Host";
}

TEST(RequestParser, TakesARequestIdThatIsPlainAndShort) {
  const auto id_of = [](const std::string& id) {
    RequestParser parser(&kLimits);
    std::string bytes = Get("/", "X-Request-Id: " + id + "\r\n");
    parser.Feed(&bytes);
    return std::string(parser.request_id());
  };
  EXPECT_EQ(id_of("a.B_9-z"), "a.B_9-z");
  EXPECT_EQ(id_of(std::string(64, 'a')), std::string(64, 'a'));
  EXPECT_EQ(id_of(std::string(65, 'a')), "");
  EXPECT_EQ(id_of("a b"), "");
  EXPECT_EQ(id_of("<script>"), "");
}

TEST(RequestParser, SurvivesDamage) {
  std::mt19937_64 random(TestSeed());
  const std::vector<std::string> whole{Get("/a?b", "Accept: x\r\n"), Sized("hello", "Expect: 100-continue\r\n"),
                                       Post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nT: 1\r\n\r\n"),
                                       Sized(Gzip("unpacked"), "Content-Encoding: gzip\r\n")};
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole[random() % whole.size()];
    for (std::uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      bytes[random() % bytes.size()] = "\r\n\0 :;,\t05aZ\xff%"[random() % 15];
    }
    RequestParser parser(&kLimits);
    const std::size_t cut = random() % bytes.size();
    std::string pending = bytes.substr(0, cut);
    Progress progress = parser.Feed(&pending);
    if (progress != Progress::kNeedHeader && progress != Progress::kNeedBody) continue;
    pending += bytes.substr(cut);
    progress = parser.Feed(&pending);
    if (progress == Progress::kDone) ASSERT_LE(parser.Take().body.size(), kLimits.max_unpacked_bytes);
  }
}

TEST(RequestParser, OneRequestMayBeAllowedALargerBody) {
  HttpLimits limits = kLimits;
  limits.body_allowance = [](const HttpRequest& head) { return head.path == "/large" ? 10'000 : 0; };
  const auto parse = [&limits](const std::string& path, std::size_t size, bool chunked) {
    const std::string body(size, 'a');
    char length[32];
    std::snprintf(length, sizeof length, "%zx\r\n", size);
    std::string bytes = "POST " + path + " HTTP/1.1\r\nHost: x\r\n";
    bytes += chunked ? "Transfer-Encoding: chunked\r\n\r\n" + std::string(length) + body + "\r\n0\r\n\r\n"
                     : "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
    RequestParser parser(&limits);
    return parser.Feed(&bytes);
  };
  for (const bool chunked : {false, true}) {
    EXPECT_EQ(parse("/large", 10'000, chunked), Progress::kDone);
    EXPECT_EQ(parse("/large", 10'001, chunked), Progress::kRefused);
    EXPECT_EQ(parse("/other", 2000, chunked), Progress::kDone);
    EXPECT_EQ(parse("/other", 2001, chunked), Progress::kRefused);
  }
}

}  // namespace
}  // namespace novafeed
