#include "http/response_head.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace novafeed {
namespace {

TEST(RenderResponseHead, WritesWhatAClientNeeds) {
  HttpResponse response;
  response.status = 201;
  response.body = "{}";
  response.headers = {{"Novafeed-Position", "p1"}};
  EXPECT_EQ(RenderResponseHead(response, true, "r-1"),
            "HTTP/1.1 201 Created\r\nContent-Type: "
            "application/json\r\nContent-Length: 2\r\n"
            "X-Content-Type-Options: nosniff\r\nX-Request-Id: "
            "r-1\r\nNovafeed-Position: p1\r\n\r\n");
  EXPECT_EQ(BodyOf(response), "{}");
}

TEST(RenderResponseHead, ClosesWhereItIsTold) {
  EXPECT_NE(RenderResponseHead({}, false, "r").find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST(RenderResponseHead, StatusesWithoutABodyHaveNone) {
  HttpResponse response;
  response.status = 204;
  response.body = "never sent";
  EXPECT_EQ(RenderResponseHead(response, true, "r"),
            "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: "
            "nosniff\r\nX-Request-Id: r\r\n\r\n");
  EXPECT_EQ(BodyOf(response), "");
}

TEST(RenderResponseHead, AStaticBodyTakesThePlace) {
  HttpResponse response;
  response.static_body = "<html>";
  EXPECT_EQ(BodyOf(response), "<html>");
  EXPECT_NE(RenderResponseHead(response, true, "r").find("Content-Length: 6\r\n"), std::string::npos);
}

TEST(RenderResponseHead, WhatTheServerWritesStandsOnce) {
  HttpResponse response;
  response.headers = {{"content-length", "7"}, {"connection", "upgrade"}, {"X-REQUEST-ID", "forged"}, {"A", "b"}};
  const std::string head = RenderResponseHead(response, true, "r");
  EXPECT_EQ(head.find("content-length"), head.npos);
  EXPECT_EQ(head.find("upgrade"), head.npos);
  EXPECT_EQ(head.find("forged"), head.npos);
  EXPECT_NE(head.find("A: b\r\n"), head.npos);
}

TEST(CheckHeaders, FindsLineBreaks) {
  HttpResponse response;
  response.headers = {{"Location", "/a"}};
  EXPECT_NO_THROW(CheckHeaders(response));
  for (const char* bad : {"/a\r\nSet-Cookie: x", "/a\n", "\r"}) {
    response.headers = {{"Location", bad}};
    EXPECT_THROW(CheckHeaders(response), std::logic_error);
    response.headers = {{bad, "x"}};
    EXPECT_THROW(CheckHeaders(response), std::logic_error);
  }
  response.headers.clear();
  response.content_type = "text/html\r\n";
  EXPECT_THROW(CheckHeaders(response), std::logic_error);
}

}  // namespace
}  // namespace novafeed
