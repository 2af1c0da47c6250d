#include "demo/import_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace novafeed {
namespace {

TEST(FormatImportLine, SaysEachActionAsTheParserReadsIt) {
  const std::vector<std::string> lines{
      R"({"type":"user","at":1,"id":"u1","handle":"mira","name":"Mira \"M\" \\ ليلى"})",
      R"({"type":"user","at":1,"id":"u2"})",
      R"({"type":"post","at":2,"id":"p1","author":"u1","text":"two\nlines"})",
      R"({"type":"post","at":2,"id":"0190163d-8694-739b-aea5-966c26f8ad91","author":"u1"})",
      R"({"type":"edit_post","at":3,"post":"p1","text":"better"})",
      R"({"type":"delete_post","at":4,"post":"p1"})",
      R"({"type":"follow","at":5,"user":"u1","target":"u2"})",
      R"({"type":"unfollow","at":6,"user":"u1","target":"u2"})",
      R"({"type":"like","at":7,"user":"u1","post":"p1"})",
      R"({"type":"unlike","at":8,"user":"u1","post":"p1"})",
      R"({"type":"comment","at":9,"id":"c1","user":"u1","post":"p1","text":"yes"})",
      R"({"type":"delete_comment","at":10,"id":"c1"})",
      R"({"type":"impression","at":11,"user":"u1","post":"p1"})",
      R"({"type":"view","at":12,"id":"e1","user":"u1","post":"p1"})",
      R"({"type":"share","at":13,"user":"u1","post":"p1"})"};
  for (const std::string& line : lines) {
    const Result<ImportAction> action = ParseImportLine(line);
    ASSERT_TRUE(action) << line << ": " << action.error().detail;
    EXPECT_EQ(FormatImportLine(*action), line);
  }
}

}  // namespace
}  // namespace novafeed
