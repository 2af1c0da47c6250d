#include "adapters/chdb/statement.h"

#include <algorithm>

namespace novafeed {
namespace {

constexpr std::string_view kBlanks(" \t\n\r\f\v\0", 7);

bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsWordPart(char c) {
  return IsWordStart(c) || (c >= '0' && c <= '9') || c == '$';
}

bool IsKeyword(const SqlToken& token, std::string_view upper) {
  const auto same = [](char a, char b) { return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b; };
  return token.kind == SqlTokenKind::kWord &&
         std::equal(token.text.begin(), token.text.end(), upper.begin(), upper.end(), same);
}

bool IsOther(const SqlToken& token, std::string_view characters) {
  return token.kind == SqlTokenKind::kOther && characters.find(token.text) != characters.npos;
}

// After "FORMAT name": blanks, at most one line break, or a semicolon in their place.
std::size_t SkipToData(std::string_view sql, std::size_t at) {
  const auto skip = [&](std::string_view characters) {
    while (at < sql.size() && characters.find(sql[at]) != characters.npos) ++at;
  };
  skip(" \t\f");
  if (at < sql.size() && sql[at] == ';') ++at;
  skip(" \t\f\r");
  if (at < sql.size() && sql[at] == '\n') ++at;
  return at;
}

// Reads the tokens of one statement in order.
class ShapeReader {
 public:
  explicit ShapeReader(std::string_view sql) : sql_(sql) {}

  // False once all is known.
  bool Take(const SqlToken& token) {
    if (first_) {
      shape_.is_insert = IsKeyword(token, "INSERT");
      shape_.is_select =
          IsKeyword(token, "SELECT") || IsKeyword(token, "WITH") || IsKeyword(token, "FROM") || IsOther(token, "(");
    }
    TrackDepth(token);
    NoteFile(token);
    const bool go_on = shape_.is_insert ? TakeOfInsert(token) : TakeOfOther(token);
    first_ = false;
    before_ = token;
    return go_on;
  }

  StatementShape Finish() {
    if (!format_open_) shape_.output_format.clear();
    return std::move(shape_);
  }

 private:
  void TrackDepth(const SqlToken& token) {
    if (IsOther(token, "([{")) ++depth_;
    if (IsOther(token, ")]}")) --depth_;
  }

  // The engine knows blanks and comments that this reader does not, so anything may stand between the two words. A
  // column of such a name can be quoted.
  void NoteFile(const SqlToken& token) {
    const bool out = into_seen_ && IsKeyword(token, "OUTFILE");
    const bool in = from_seen_ && IsKeyword(token, "INFILE");
    if ((out || in) && !IsTableName()) shape_.names_file = true;
    into_seen_ = into_seen_ || IsKeyword(token, "INTO");
    from_seen_ = from_seen_ || IsKeyword(token, "FROM");
  }

  // "INSERT INTO outfile …": there the word is the table.
  bool IsTableName() const { return shape_.is_insert && !table_named_; }

  bool TakeOfInsert(const SqlToken& token) {
    if (!table_named_) {
      const bool is_name = token.kind == SqlTokenKind::kQuotedName || token.kind == SqlTokenKind::kWord;
      const bool is_lead = first_ || IsKeyword(token, "INTO") || IsKeyword(token, "TABLE");
      table_named_ = is_name && !is_lead;
      return true;
    }
    if (IsOther(before_, ".")) return true;  // db.table
    if (depth_ != 0) return true;
    if (IsKeyword(before_, "FORMAT") && token.kind == SqlTokenKind::kWord) {
      shape_.data =
          InsertData{before_.begin, std::string(token.text), SkipToData(sql_, token.begin + token.text.size())};
      return false;
    }
    if (IsKeyword(token, "VALUES")) {
      shape_.data = InsertData{token.begin, "Values", token.begin + token.text.size()};
      return false;
    }
    const bool is_query = IsKeyword(token, "SELECT") || IsKeyword(token, "WITH") || IsKeyword(token, "WATCH");
    return !is_query;
  }

  // "… FORMAT name" with nothing but SETTINGS or a semicolon behind it.
  bool TakeOfOther(const SqlToken& token) {
    if (depth_ == 0 && IsKeyword(before_, "FORMAT") && token.kind == SqlTokenKind::kWord) {
      shape_.output_format = token.text;
      format_open_ = true;
    } else if (IsKeyword(token, "SETTINGS")) {
      in_settings_ = true;
    } else if (!IsOther(token, ";") && !in_settings_) {
      format_open_ = false;
    }
    return true;
  }

  const std::string_view sql_;
  StatementShape shape_;
  SqlToken before_;
  bool first_ = true;
  bool into_seen_ = false;
  bool from_seen_ = false;
  bool table_named_ = false;
  bool format_open_ = false;
  bool in_settings_ = false;
  int depth_ = 0;
};

}  // namespace

void SqlLexer::SkipBlanks() {
  while (at_ < sql_.size()) {
    const std::string_view rest = sql_.substr(at_);
    if (kBlanks.find(rest.front()) != kBlanks.npos) {
      ++at_;
    } else if (rest.starts_with("--") || rest.starts_with("#!") || rest.starts_with("# ")) {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t end = sql_.find("*/", at_ + 2);
      at_ = end == sql_.npos ? sql_.size() : end + 2;
    } else {
      return;
    }
  }
}

std::size_t SqlLexer::EndOfQuoted(char quote) const {
  std::size_t at = at_ + 1;
  while (at < sql_.size()) {
    if (sql_[at] == '\\') {
      at += 2;
    } else if (sql_[at] != quote) {
      ++at;
    } else if (at + 1 < sql_.size() && sql_[at + 1] == quote) {
      at += 2;
    } else {
      return at + 1;
    }
  }
  return sql_.size();
}

// Of "$tag$…$tag$"; where there is none, of the '$' alone.
std::size_t SqlLexer::EndOfHeredoc() const {
  std::size_t tag_end = at_ + 1;
  while (tag_end < sql_.size() && IsWordPart(sql_[tag_end]) && sql_[tag_end] != '$') ++tag_end;
  if (tag_end >= sql_.size() || sql_[tag_end] != '$') return at_ + 1;
  const std::string_view tag = sql_.substr(at_, tag_end + 1 - at_);
  const std::size_t end = sql_.find(tag, tag_end + 1);
  return end == sql_.npos ? at_ + 1 : end + tag.size();
}

std::size_t SqlLexer::EndOfWord() const {
  std::size_t at = at_;
  while (at < sql_.size() && IsWordPart(sql_[at])) ++at;
  return at;
}

std::optional<SqlToken> SqlLexer::Next() {
  SkipBlanks();
  if (at_ >= sql_.size()) return std::nullopt;
  const std::size_t begin = at_;
  SqlTokenKind kind = SqlTokenKind::kOther;
  const char c = sql_[at_];
  if (c == '\'') {
    kind = SqlTokenKind::kString;
    at_ = EndOfQuoted(c);
  } else if (c == '`' || c == '"') {
    kind = SqlTokenKind::kQuotedName;
    at_ = EndOfQuoted(c);
  } else if (c == '$') {
    at_ = EndOfHeredoc();
    if (at_ > begin + 1) kind = SqlTokenKind::kString;
  } else if (IsWordStart(c)) {
    kind = SqlTokenKind::kWord;
    at_ = EndOfWord();
  } else if (c >= '0' && c <= '9') {
    at_ = EndOfWord();  // 12, 0x1f, 1e5: no word
  } else {
    ++at_;
  }
  return SqlToken{kind, sql_.substr(begin, at_ - begin), begin};
}

StatementShape DescribeStatement(std::string_view sql) {
  SqlLexer lexer(sql);
  ShapeReader reader(sql);
  for (std::optional<SqlToken> token = lexer.Next(); token; token = lexer.Next()) {
    if (!reader.Take(*token)) break;
  }
  return reader.Finish();
}

}  // namespace novafeed
