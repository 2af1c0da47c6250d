#include "api/assets.h"

#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

constexpr Asset kScript{.path = "/app.js",
                        .content_type = "text/javascript; charset=utf-8",
                        .etag = "\"abc\"",
                        .gzip_etag = "\"abc-gzip\"",
                        .bytes = "plain bytes",
                        .gzip = "packed"};

HttpResponse Get(const Asset& asset, const Headers& headers) {
  HttpRequest request;
  request.headers = headers;
  return AnswerAsset(asset, request);
}

std::string HeaderOf(const HttpResponse& response, std::string_view name) {
  for (const auto& [candidate, value] : response.headers) {
    if (candidate == name) return value;
  }
  return "";
}

TEST(Assets, PlainUnlessTheClientTakesGzip) {
  const HttpResponse plain = Get(kScript, {});
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(plain.static_body, "plain bytes");
  EXPECT_EQ(HeaderOf(plain, "Content-Encoding"), "");
  EXPECT_EQ(HeaderOf(plain, "Vary"), "Accept-Encoding");

  for (const char* accepts : {"gzip", "br, gzip", "deflate,gzip;q=0.5"}) {
    const HttpResponse packed = Get(kScript, {{"Accept-Encoding", accepts}});
    EXPECT_EQ(packed.static_body, "packed") << accepts;
    EXPECT_EQ(HeaderOf(packed, "Content-Encoding"), "gzip") << accepts;
  }
  for (const char* accepts : {"identity", "gzip;q=0", "x-gzip", "br"}) {
    EXPECT_EQ(Get(kScript, {{"Accept-Encoding", accepts}}).static_body, "plain bytes") << accepts;
  }
}

TEST(Assets, WithoutAPackedFormThePlainOneIsSent) {
  Asset asset = kScript;
  asset.gzip = {};
  EXPECT_EQ(Get(asset, {{"Accept-Encoding", "gzip"}}).static_body, "plain bytes");
}

TEST(Assets, EachFormHasAnETagOfItsOwn) {
  EXPECT_EQ(HeaderOf(Get(kScript, {}), "ETag"), "\"abc\"");
  EXPECT_EQ(HeaderOf(Get(kScript, {{"Accept-Encoding", "gzip"}}), "ETag"), "\"abc-gzip\"");
}

TEST(Assets, NotSentAgainToWhoHasThem) {
  for (const char* etags : {"\"abc\"", "\"x\", \"abc\"", "W/\"abc\"", "\"abc-gzip\"", "*"}) {
    const HttpResponse response = Get(kScript, {{"If-None-Match", etags}});
    EXPECT_EQ(response.status, 304) << etags;
    EXPECT_TRUE(response.static_body.empty());
    EXPECT_EQ(HeaderOf(response, "ETag"), "\"abc\"");
  }
  for (const char* etags : {"\"abd\"", "abc", "\"\""}) {
    EXPECT_EQ(Get(kScript, {{"If-None-Match", etags}}).status, 200) << etags;
  }
}

TEST(Assets, AllowNothingFromElsewhere) {
  const std::string policy = HeaderOf(Get(kScript, {}), "Content-Security-Policy");
  EXPECT_NE(policy.find("default-src 'self'"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
}

}  // namespace
}  // namespace novafeed
