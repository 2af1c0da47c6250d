#include "adapters/chdb/result_format.h"

#include <gtest/gtest.h>

#include <string>

namespace novafeed {
namespace {

TEST(ResultFormatTest, HeadersAreMeasured) {
  EXPECT_EQ(HeaderSize("TabSeparated", "1\n"), 0U);
  EXPECT_EQ(HeaderSize("TabSeparatedWithNames", "a\tb\n1\t2\n"), 4U);
  EXPECT_EQ(HeaderSize("TSVWithNamesAndTypes", "a\nUInt8\n1\n"), 8U);
  EXPECT_EQ(HeaderSize("RowBinaryWithNames", std::string("\1\1a\5", 4)), 3U);
  EXPECT_EQ(HeaderSize("RowBinaryWithNamesAndTypes", std::string("\1\1a\5UInt8\7", 10)), 9U);
  const std::string long_name(300, 'n');
  EXPECT_EQ(HeaderSize("RowBinaryWithNames", "\1\xac\2" + long_name + "x"), 303U);
}

TEST(ResultFormatTest, AHeaderThatDoesNotEndIsNone) {
  EXPECT_FALSE(HeaderSize("TabSeparatedWithNames", "a\tb"));
  EXPECT_FALSE(HeaderSize("TSVWithNamesAndTypes", "a\nUInt8"));
  EXPECT_FALSE(HeaderSize("RowBinaryWithNames", ""));
  EXPECT_FALSE(HeaderSize("RowBinaryWithNames", "\2\1a"));
  EXPECT_FALSE(HeaderSize("RowBinaryWithNames", "\1\xff"));
  EXPECT_FALSE(HeaderSize("RowBinaryWithNamesAndTypes", "\1\1a\x7fUInt8"));
  EXPECT_FALSE(HeaderSize("RowBinaryWithNames", std::string(12, '\xff')));
}

TEST(ResultFormatTest, FormatsWithAnEndDoNotComeInPieces) {
  for (const char* format : {"JSON", "JSONCompact", "CSVWithNames", "Parquet", "Pretty", "XML", "nosuch", ""}) {
    EXPECT_FALSE(ComesInPieces(format)) << format;
    EXPECT_FALSE(HeaderSize(format, "a\n")) << format;
  }
  for (const char* format : {"TSV", "JSONEachRow", "RowBinary", "CSV", "RowBinaryWithNamesAndTypes"}) {
    EXPECT_TRUE(ComesInPieces(format)) << format;
  }
}

TEST(ResultFormatTest, ContentTypes) {
  EXPECT_STREQ(ContentTypeOf("JSON"), "application/json; charset=UTF-8");
  EXPECT_STREQ(ContentTypeOf("RowBinary"), "application/octet-stream");
  EXPECT_STREQ(ContentTypeOf("Pretty"), "text/plain; charset=UTF-8");
}

}  // namespace
}  // namespace novafeed
