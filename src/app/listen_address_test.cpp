#include "app/listen_address.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

TEST(ListenAddressTest, LoopbackAddressesAreKnown) {
  for (const char* listen : {"127.0.0.1:8080", "127.1.2.3:0", "[::1]:8080", "localhost:8080"}) {
    EXPECT_TRUE(IsLoopback(listen)) << listen;
  }
}

TEST(ListenAddressTest, EverythingElseIsPublic) {
  for (const char* listen : {"0.0.0.0:8080", "[::]:8080", "192.168.1.1:80", "localhost.example.com:80",
                             "127.0.0.1.example:80", "128.0.0.1:80", "", ":8080", "example.com:80"}) {
    EXPECT_FALSE(IsLoopback(listen)) << listen;
  }
}

}  // namespace
}  // namespace novafeed
