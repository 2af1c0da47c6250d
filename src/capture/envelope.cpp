#include "capture/envelope.h"

#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "base/json.h"

namespace novafeed {
namespace {

constexpr std::string_view kTopicPrefix = "cdc.";
constexpr std::string_view kSourceName = "cdc";
constexpr std::string_view kSchema = "novafeed";

// In the order of Row's alternatives.
constexpr std::array<std::string_view, 5> kTables = {"users", "posts", "comments", "likes", "follows"};
static_assert(kTables.size() == std::variant_size_v<Row>);

// --- The columns of each table, named once for writing and for reading. Io is ColumnWriter or ColumnReader.

template <class Io>
void KeyColumns(Io& io, typename Io::template Ref<User> row) {
  io.Id("id", row.id);
}

template <class Io>
void KeyColumns(Io& io, typename Io::template Ref<Post> row) {
  io.Id("id", row.id);
}

template <class Io>
void KeyColumns(Io& io, typename Io::template Ref<Comment> row) {
  io.Id("id", row.id);
}

template <class Io>
void KeyColumns(Io& io, typename Io::template Ref<Like> row) {
  io.Id("user_id", row.user);
  io.Id("post_id", row.post);
}

template <class Io>
void KeyColumns(Io& io, typename Io::template Ref<Follow> row) {
  io.Id("follower_id", row.follower);
  io.Id("following_id", row.followee);
}

template <class Io>
void OtherColumns(Io& io, typename Io::template Ref<User> row) {
  io.OptionalText("external_id", row.external_id);
  io.Text("handle", row.handle);
  io.Text("name", row.name);
  io.Time("created_at", row.created_at);
}

template <class Io>
void OtherColumns(Io& io, typename Io::template Ref<Post> row) {
  io.OptionalText("external_id", row.external_id);
  io.Id("author_id", row.author);
  io.Text("text", row.text);
  io.Time("created_at", row.created_at);
  io.OptionalTime("deleted_at", row.deleted_at);
}

template <class Io>
void OtherColumns(Io& io, typename Io::template Ref<Comment> row) {
  io.OptionalText("external_id", row.external_id);
  io.Id("post_id", row.post);
  io.Id("user_id", row.user);
  io.Id("post_author_id", row.post_author);
  io.Time("post_created_at", row.post_created_at);
  io.Text("text", row.text);
  io.Time("created_at", row.created_at);
  io.Number("incarnation", row.incarnation);
}

template <class Io>
void OtherColumns(Io& io, typename Io::template Ref<Like> row) {
  io.Id("post_author_id", row.post_author);
  io.Time("post_created_at", row.post_created_at);
  io.Time("created_at", row.created_at);
  io.Number("incarnation", row.incarnation);
}

template <class Io>
void OtherColumns(Io& io, typename Io::template Ref<Follow> row) {
  io.Time("created_at", row.created_at);
  io.Number("incarnation", row.incarnation);
}

// --- Writing.

class ColumnWriter {
 public:
  template <class T>
  using Ref = const T&;

  explicit ColumnWriter(JsonWriter* json) : json_(json) {}

  template <class Tag>
  void Id(std::string_view name, const StrongId<Tag>& id) {
    json_->Key(name).String(id.ToString());
  }
  void Text(std::string_view name, const std::string& text) { json_->Key(name).String(text); }
  void Number(std::string_view name, std::int64_t number) { json_->Key(name).Int(number); }
  void Time(std::string_view name, TimeMs at) {
    std::string text = FormatRfc3339(at);
    text.insert(text.size() - 1, "000");  // PostgreSQL's timestamps count microseconds
    json_->Key(name).String(text);
  }
  void OptionalText(std::string_view name, const std::optional<std::string>& text) {
    if (text) return Text(name, *text);
    json_->Key(name).Null();
  }
  void OptionalTime(std::string_view name, const std::optional<TimeMs>& at) {
    if (at) return Time(name, *at);
    json_->Key(name).Null();
  }

 private:
  JsonWriter* json_;
};

void WriteKey(const Row& row, JsonWriter* json) {
  ColumnWriter columns(json);
  json->BeginObject();
  std::visit([&]<class R>(const R& typed) { KeyColumns<ColumnWriter>(columns, typed); }, row);
  json->EndObject();
}

void WriteRow(const std::optional<Row>& row, JsonWriter* json) {
  if (!row) {
    json->Null();
    return;
  }
  ColumnWriter columns(json);
  json->BeginObject();
  std::visit(
      [&]<class R>(const R& typed) {
        KeyColumns<ColumnWriter>(columns, typed);
        OtherColumns<ColumnWriter>(columns, typed);
      },
      *row);
  json->EndObject();
}

// The same instant three times, as Debezium has it since 2.x.
void WriteMicrosAndNanos(TimeMs at, JsonWriter* json) {
  json->Key("ts_us").Int(at * 1'000);
  json->Key("ts_ns").Int(at * 1'000'000);
}

// A string that holds an array: where the last commit ended (null in a snapshot), and the own place. One writer commits
// one transaction after the other here, so the own sequence is both.
std::string SequenceOf(const Change& change) {
  const std::string own = "\"" + std::to_string(change.sequence) + "\"";
  return "[" + (change.op == ChangeOp::kRead ? "null" : own) + "," + own + "]";
}

void WriteSource(const Change& change, std::string_view table, const EnvelopeSource& source, JsonWriter* json) {
  json->BeginObject();
  json->Key("version").String(source.version);
  json->Key("connector").String(source.connector);
  json->Key("name").String(kSourceName);
  json->Key("ts_ms").Int(change.committed_at);
  json->Key("snapshot").String(change.op == ChangeOp::kRead ? "true" : "false");
  json->Key("db").String(source.database);
  json->Key("sequence").String(SequenceOf(change));
  WriteMicrosAndNanos(change.committed_at, json);
  json->Key("schema").String(kSchema);
  json->Key("table").String(table);
  json->Key("txId").Int(change.transaction);
  json->Key("lsn").Int(change.sequence);
  json->Key("xmin").Null();
  json->Key("origin").Null();
  json->Key("origin_lsn").Null();
  json->EndObject();
}

std::string EnvelopeValue(const Change& change, std::string_view table, TimeMs emitted_at,
                          const EnvelopeSource& source) {
  std::string text;
  JsonWriter json(&text);
  const char op = static_cast<char>(change.op);
  json.BeginObject();
  json.Key("before");
  WriteRow(change.before, &json);
  json.Key("after");
  WriteRow(change.after, &json);
  json.Key("source");
  WriteSource(change, table, source, &json);
  json.Key("transaction").Null();
  json.Key("op").String({&op, 1});
  json.Key("ts_ms").Int(emitted_at);
  WriteMicrosAndNanos(emitted_at, &json);
  json.EndObject();
  return text;
}

// --- Reading.

tl::unexpected<Error> Bad(const std::string& detail) {
  return Fail(Failure::kUnprocessable, "bad_envelope", detail);
}

// Reads the columns of one row, and keeps the first thing that is wrong with them.
class ColumnReader {
 public:
  template <class T>
  using Ref = T&;

  explicit ColumnReader(const boost::json::object& columns) : columns_(columns) {}

  const std::string& problem() const { return problem_; }

  template <class Tag>
  void Id(std::string_view name, StrongId<Tag>& id) {
    if (const std::optional<Uuid> parsed = ParseUuid(StringAt(name))) {
      id.value = *parsed;
    } else {
      Complain(name, "is not a UUID");
    }
  }
  void Text(std::string_view name, std::string& text) { text = StringAt(name); }
  void Number(std::string_view name, std::int64_t& number) {
    const boost::json::value* value = columns_.if_contains(name);
    if (value == nullptr || !value->is_int64()) return Complain(name, "is not an integer");
    number = value->get_int64();
  }
  void Time(std::string_view name, TimeMs& at) {
    if (const std::optional<TimeMs> parsed = ParseRfc3339(StringAt(name))) {
      at = *parsed;
    } else {
      Complain(name, "is not a time of 1970 to 2100");
    }
  }
  void OptionalText(std::string_view name, std::optional<std::string>& text) {
    if (!IsNull(name)) text = StringAt(name);
  }
  void OptionalTime(std::string_view name, std::optional<TimeMs>& at) {
    if (!IsNull(name)) Time(name, at.emplace());
  }

 private:
  bool IsNull(std::string_view name) const {
    const boost::json::value* value = columns_.if_contains(name);
    return value == nullptr || value->is_null();
  }

  std::string_view StringAt(std::string_view name) {
    const boost::json::value* value = columns_.if_contains(name);
    if (value == nullptr || !value->is_string()) {
      Complain(name, "is not a string");
      return {};
    }
    return value->get_string();
  }

  void Complain(std::string_view name, std::string_view what) {
    if (problem_.empty()) problem_ = "column " + std::string(name) + " " + std::string(what);
  }

  const boost::json::object& columns_;
  std::string problem_;
};

std::optional<Row> BlankRow(std::string_view topic) {
  if (!topic.starts_with(kTopicPrefix)) return std::nullopt;
  const std::string_view table = topic.substr(kTopicPrefix.size());
  static const std::array<Row, kTables.size()> kBlank = {User{}, Post{}, Comment{}, Like{}, Follow{}};
  for (std::size_t i = 0; i < kTables.size(); ++i) {
    if (kTables[i] == table) return kBlank[i];
  }
  return std::nullopt;
}

// "before" or "after": empty where it is null or absent.
Result<std::optional<Row>> ReadRow(const boost::json::object& envelope, std::string_view member, Row blank) {
  const boost::json::value* value = envelope.if_contains(member);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_object()) return Bad("\"" + std::string(member) + "\" is neither an object nor null.");
  ColumnReader columns(value->get_object());
  std::visit(
      [&]<class R>(R& typed) {
        KeyColumns<ColumnReader>(columns, typed);
        OtherColumns<ColumnReader>(columns, typed);
      },
      blank);
  if (!columns.problem().empty()) return Bad("In \"" + std::string(member) + "\", " + columns.problem() + ".");
  return blank;
}

Result<ChangeOp> ReadOp(const boost::json::object& envelope) {
  const boost::json::value* value = envelope.if_contains("op");
  if (value != nullptr && value->is_string() && value->get_string().size() == 1) {
    for (const ChangeOp op : {ChangeOp::kCreate, ChangeOp::kUpdate, ChangeOp::kDelete, ChangeOp::kRead}) {
      if (value->get_string()[0] == static_cast<char>(op)) return op;
    }
  }
  return Bad("\"op\" is none of c, u, d, r.");
}

Status CheckRows(const Change& change) {
  const bool needs_before = change.op == ChangeOp::kUpdate || change.op == ChangeOp::kDelete;
  const bool needs_after = change.op != ChangeOp::kDelete;
  if (change.before.has_value() != needs_before) {
    return Bad(needs_before ? "\"before\" is missing; set REPLICA IDENTITY FULL on the table."
                            : "\"before\" is there, though \"op\" is one of c, r.");
  }
  if (change.after.has_value() != needs_after) {
    return Bad(needs_after ? "\"after\" is missing." : "\"after\" is there, though \"op\" is d.");
  }
  return {};
}

Status ReadSource(const boost::json::object& envelope, Change* change) {
  const boost::json::value* source = envelope.if_contains("source");
  if (source == nullptr || !source->is_object()) return Bad("\"source\" is missing.");
  ColumnReader members(source->get_object());
  members.Number("lsn", change->sequence);
  members.Number("txId", change->transaction);
  members.Number("ts_ms", change->committed_at);
  if (!members.problem().empty()) return Bad("In \"source\", " + members.problem() + ".");
  return {};
}

}  // namespace

EnvelopeMessage EncodeEnvelope(const Change& change, TimeMs emitted_at, const EnvelopeSource& source) {
  const std::string_view table = kTables[change.Latest().index()];
  EnvelopeMessage message;
  message.topic = std::string(kTopicPrefix) + std::string(table);
  JsonWriter key(&message.key);
  WriteKey(change.Latest(), &key);
  message.value = EnvelopeValue(change, table, emitted_at, source);
  return message;
}

Result<Change> DecodeEnvelope(std::string_view topic, std::string_view value) {
  const Result<boost::json::value> parsed = ParseJson(value);
  if (!parsed) return Bad("The message is not JSON: " + parsed.error().detail);
  return DecodeEnvelopeJson(topic, *parsed);
}

Result<Change> DecodeEnvelopeJson(std::string_view topic, const boost::json::value& value) {
  const std::optional<Row> blank = BlankRow(topic);
  if (!blank) return Bad("The topic \"" + std::string(topic) + "\" is not that of a table of the graph.");
  if (!value.is_object()) return Bad("The message is not an object.");
  const boost::json::object& envelope = value.get_object();

  Change change;
  const Result<ChangeOp> op = ReadOp(envelope);
  if (!op) return tl::unexpected(op.error());
  change.op = *op;
  Result<std::optional<Row>> before = ReadRow(envelope, "before", *blank);
  if (!before) return tl::unexpected(before.error());
  change.before = *std::move(before);
  Result<std::optional<Row>> after = ReadRow(envelope, "after", *blank);
  if (!after) return tl::unexpected(after.error());
  change.after = *std::move(after);
  if (Status rows = CheckRows(change); !rows) return tl::unexpected(rows.error());
  if (Status read = ReadSource(envelope, &change); !read) return tl::unexpected(read.error());
  return change;
}

}  // namespace novafeed
