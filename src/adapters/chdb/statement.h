// What must be known of a statement before the engine has it: which part of an INSERT is data, and which format the
// answer has. Found with ClickHouse's lexical rules; what a statement may do is decided on the engine's own parse
// (read_only.h), never here. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace novafeed {

enum class SqlTokenKind { kWord, kQuotedName, kString, kOther };

struct SqlToken {
  SqlTokenKind kind = SqlTokenKind::kOther;
  std::string_view text;  // with its quotes
  std::size_t begin = 0;  // in the whole text
};

// Splits SQL into words, `quoted` and "quoted" names, strings ('…' and $tag$…$tag$), and single other characters;
// blanks and comments are left out. A string or comment that does not end goes to the end of the text.
class SqlLexer {
 public:
  explicit SqlLexer(std::string_view sql) : sql_(sql) {}
  std::optional<SqlToken> Next();

 private:
  void SkipBlanks();
  std::size_t EndOfQuoted(char quote) const;
  std::size_t EndOfHeredoc() const;
  std::size_t EndOfWord() const;

  std::string_view sql_;
  std::size_t at_ = 0;
};

// Where the data of an INSERT begin: "INSERT INTO t (a) FORMAT TSV\n1" has the head "INSERT INTO t (a) ", the format
// "TSV" and data from the 1 on; VALUES counts as the format Values.
struct InsertData {
  std::size_t head_end = 0;
  std::string format;
  std::size_t begin = 0;
};

struct StatementShape {
  bool is_insert = false;
  bool is_select = false;          // begins as a SELECT does: also with WITH, FROM or a parenthesis
  std::optional<InsertData> data;  // of an INSERT that names a format or VALUES
  std::string output_format;       // of FORMAT at the end of any other statement; empty: none
  bool names_file = false;         // INTO OUTFILE or FROM INFILE
};

StatementShape DescribeStatement(std::string_view sql);

}  // namespace novafeed
