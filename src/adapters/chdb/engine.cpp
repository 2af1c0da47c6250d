#include "adapters/chdb/engine.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

#include "adapters/chdb/result_format.h"

namespace novafeed {
namespace {

constexpr std::string_view kDatabase = "novafeed";
constexpr std::int64_t kMarkCacheBytes = 256LL << 20;
// The tables that read Kafka (warehouse/kafka_landing.h) are six with one consumer each; a pool that is too small makes
// them wait for each other.
constexpr std::int64_t kMessageBrokerThreads = 8;
constexpr const char* kMakeDatabase = "CREATE DATABASE IF NOT EXISTS novafeed ENGINE = Atomic";
// The keeper's statements run beside those of others; theirs alone are ended.
constexpr const char* kKillAll = "KILL QUERY WHERE query NOT LIKE 'KILL QUERY%' ASYNC";

// Merges of one byte at most are none.
constexpr const char* kNoMerges =
    "  <merge_tree>\n"
    "    <max_bytes_to_merge_at_max_space_in_pool>1</max_bytes_to_merge_at_max_space_in_pool>\n"
    "    <max_number_of_merges_with_ttl_in_pool>0</max_number_of_merges_with_ttl_in_pool>\n"
    "    <parts_to_delay_insert>10000</parts_to_delay_insert>\n"
    "    <parts_to_throw_insert>20000</parts_to_throw_insert>\n"
    "  </merge_tree>\n";
constexpr const char* kStopTtl = "SYSTEM STOP TTL MERGES";
constexpr const char* kInManyParts =
    "SELECT DISTINCT table FROM system.parts WHERE database = 'novafeed' AND active GROUP BY table, partition_id "
    "HAVING count() > 20";

// The profile is also that of the engine's own inserts, from Kafka: see deploy/clickhouse/users.xml.
constexpr const char* kUsersFile =
    "<clickhouse>\n"
    "  <profiles><default><max_partitions_per_insert_block>0</max_partitions_per_insert_block></default></profiles>\n"
    "  <users>\n"
    "    <default>\n"
    "      <password></password>\n"
    "      <networks><ip>::/0</ip></networks>\n"
    "      <profile>default</profile>\n"
    "      <quota>default</quota>\n"
    "    </default>\n"
    "  </users>\n"
    "  <quotas><default></default></quotas>\n"
    "</clickhouse>\n";

// Pool sizes are read from a file only, and a stray config.xml of the working directory would be read without one.
std::string ConfigFile(const EngineOptions& options) {
  const auto element = [](const std::string& name, std::int64_t value) {
    return "  <" + name + ">" + std::to_string(value) + "</" + name + ">\n";
  };
  return "<clickhouse>\n" + element("max_server_memory_usage", options.max_memory) +
         element("mark_cache_size", std::min(kMarkCacheBytes, options.max_memory / 4)) +
         element("uncompressed_cache_size", 0) + element("background_pool_size", 2) +
         element("background_message_broker_schedule_pool_size", kMessageBrokerThreads) +
         "  <user_directories><users_xml><path>users.xml</path></users_xml></user_directories>\n" +  // beside this file
         (options.keeps_expired ? kNoMerges : "") +
         "  <logger><level>none</level></logger>\n"
         "  <kafka>\n"
         "    <session_timeout_ms>6000</session_timeout_ms>\n"
         "    <heartbeat_interval_ms>1000</heartbeat_interval_ms>\n"
         "    <auto_offset_reset>earliest</auto_offset_reset>\n"
         "  </kafka>\n"
         "</clickhouse>\n";
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw std::runtime_error(path + " cannot be written: make room, or check who owns it.");
}

// 'text' as a string literal of ClickHouse.
std::string Literal(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') literal += '\\';
    literal += c;
  }
  return literal + "'";
}

// `name` as a quoted identifier.
std::string QuotedName(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "`";
}

bool IsSettingName(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_plain);
}

// Names and values as the library takes them.
struct ParamArrays {
  explicit ParamArrays(const NamedTexts& params) {
    for (const auto& [name, value] : params) {
      names.push_back(name.data());
      name_sizes.push_back(name.size());
      values.push_back(value.data());
      value_sizes.push_back(value.size());
    }
  }
  std::vector<const char*> names;
  std::vector<std::size_t> name_sizes;
  std::vector<const char*> values;
  std::vector<std::size_t> value_sizes;
};

using OwnedResult = std::unique_ptr<ChdbResult, void (*)(ChdbResult*)>;

// The error of a result, where it has one.
ClickHouseResult<void> CheckResult(const ChdbLibrary& library, ChdbResult* result) {
  if (result == nullptr) return tl::unexpected(ReadClickHouseError("the engine gave no answer"));
  if (const char* error = library.result_error(result); error != nullptr) {
    return tl::unexpected(ReadClickHouseError(error));
  }
  return {};
}

std::string_view BytesOf(const ChdbLibrary& library, ChdbResult* result) {
  const std::size_t size = library.result_length(result);
  return size == 0 ? std::string_view() : std::string_view(library.result_buffer(result), size);
}

void AddSummary(const ChdbLibrary& library, ChdbResult* result, EngineSummary* summary) {
  summary->elapsed_seconds += library.result_elapsed(result);
  summary->read_rows += library.result_storage_rows_read(result);
  summary->read_bytes += library.result_storage_bytes_read(result);
  summary->written_rows += library.result_rows_written(result);
  summary->written_bytes += library.result_bytes_written(result);
  summary->result_rows += library.result_rows_read(result);
  summary->result_bytes += library.result_bytes_read(result);
}

ClickHouseResult<EngineAnswer> TakeAnswer(const ChdbLibrary& library, ChdbResult* raw) {
  const OwnedResult result(raw, library.destroy_query_result);
  if (auto good = CheckResult(library, raw); !good) return tl::unexpected(std::move(good.error()));
  EngineAnswer answer;
  answer.body = BytesOf(library, raw);
  AddSummary(library, raw, &answer.summary);
  return answer;
}

}  // namespace

// --- EngineConnection ------------------------------------------------------------------------------------------------

EngineConnection::EngineConnection(EngineConnection&& other) noexcept
    : engine_(other.engine_),
      session_(std::move(other.session_)),
      connection_(std::exchange(other.connection_, nullptr)),
      fit_for_others_(other.fit_for_others_) {}

EngineConnection::~EngineConnection() {
  if (connection_ == nullptr) return;
  if (fit_for_others_) {
    engine_->PutBack(std::move(session_), connection_);
  } else {
    engine_->Close(connection_);
  }
}

StatementAnalysis EngineConnection::Analyse(std::string_view sql) const {
  ChdbAnalysis analysis;
  const bool done = engine_->library_->classify_query_n(*connection_, sql.data(), sql.size(), kDatabase.data(),
                                                        kDatabase.size(), &analysis) == 0;
  const bool known = done && analysis.query_class < static_cast<std::uint32_t>(StatementClass::kUnknown);
  return {analysis.statement_count,
          known ? static_cast<StatementClass>(analysis.query_class) : StatementClass::kUnknown};
}

ClickHouseResult<EngineAnswer> EngineConnection::Query(std::string_view sql, const NamedTexts& params,
                                                       std::string_view format) {
  const bool only_reads = Analyse(sql).kind == StatementClass::kReadOnly;
  auto answer = engine_->Run(*connection_, sql, params, format);
  // After an error the engine holds on to what it had written of the answer: the connection's next one would begin
  // with it (seen with 26.7.3: rows of a query that had broken max_result_bytes).
  if (!only_reads || !answer) fit_for_others_ = false;
  return answer;
}

ClickHouseResult<EngineAnswer> EngineConnection::Select(std::string_view sql, const NamedTexts& params,
                                                        std::string_view format, std::size_t max_bytes) {
  const ChdbLibrary& library = *engine_->library_;
  const ParamArrays arrays(params);
  const OwnedResult stream(
      library.stream_query_with_params_n(*connection_, sql.data(), sql.size(), format.data(), format.size(),
                                         arrays.names.data(), arrays.name_sizes.data(), arrays.values.data(),
                                         arrays.value_sizes.data(), params.size()),
      library.destroy_query_result);
  auto answer = Fetch(stream.get(), format, max_bytes);
  if (!answer) fit_for_others_ = false;
  return answer;
}

ClickHouseResult<EngineAnswer> EngineConnection::Fetch(ChdbResult* stream, std::string_view format,
                                                       std::size_t max_bytes) {
  const ChdbLibrary& library = *engine_->library_;
  if (auto good = CheckResult(library, stream); !good) return tl::unexpected(std::move(good.error()));
  EngineAnswer answer;
  while (true) {
    const OwnedResult piece(library.stream_fetch_result(*connection_, stream), library.destroy_query_result);
    const ClickHouseResult<bool> more = Append(piece.get(), format, &answer);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return answer;
    if (answer.body.size() > max_bytes) {
      library.stream_cancel_query(*connection_, stream);
      return tl::unexpected(
          MakeClickHouseError(ClickHouseCode::kTooManyRowsOrBytes,
                              "Limit for result exceeded, max bytes: " + std::to_string(max_bytes) + "."));
    }
  }
}

ClickHouseResult<bool> EngineConnection::Append(ChdbResult* piece, std::string_view format,
                                                EngineAnswer* answer) const {
  const ChdbLibrary& library = *engine_->library_;
  if (auto good = CheckResult(library, piece); !good) return tl::unexpected(std::move(good.error()));
  std::string_view bytes = BytesOf(library, piece);
  if (bytes.empty()) return false;
  AddSummary(library, piece, &answer->summary);
  if (!answer->body.empty()) {
    const std::optional<std::size_t> header = HeaderSize(format, bytes);
    if (!header) return tl::unexpected(ReadClickHouseError("the engine gave a piece of an answer without its header"));
    bytes.remove_prefix(*header);
  }
  answer->body += bytes;
  return true;
}

ClickHouseResult<EngineAnswer> EngineConnection::Insert(std::string_view head, const NamedTexts& params,
                                                        std::string_view format,
                                                        const std::vector<std::string_view>& data) {
  const ChdbLibrary& library = *engine_->library_;
  const ParamArrays arrays(params);
  const std::unique_ptr<ChdbInsertStream, void (*)(ChdbInsertStream*)> stream(
      library.stream_insert_with_params_n(*connection_, head.data(), head.size(), format.data(), format.size(),
                                          arrays.names.data(), arrays.name_sizes.data(), arrays.values.data(),
                                          arrays.value_sizes.data(), params.size()),
      library.destroy_insert_stream);
  if (const char* error = library.stream_insert_error(stream.get()); error != nullptr) {
    fit_for_others_ = false;
    return tl::unexpected(ReadClickHouseError(error));
  }
  for (const std::string_view piece : data) {
    // Where it fails, Done says why.
    if (!piece.empty() && library.stream_append(stream.get(), piece.data(), piece.size()) != 0) break;
  }
  auto answer = TakeAnswer(library, library.stream_done(stream.get()));
  if (!answer) fit_for_others_ = false;
  return answer;
}

// --- ChdbEngine ------------------------------------------------------------------------------------------------------

ChdbEngine::ChdbEngine(const ChdbLibrary* library, EngineOptions options)
    : library_(library), options_(std::move(options)) {
  WriteFile(options_.directory + "/users.xml", kUsersFile);
  WriteFile(options_.directory + "/config.xml", ConfigFile(options_));
  keeper_ = Connect();
  if (keeper_ == nullptr) {
    throw std::runtime_error(
        "The ClickHouse engine cannot open " + options_.directory +
        ": the lines above say why. Another process may use it, or it was made by another version.");
  }
  if (const auto made = Run(*keeper_, kMakeDatabase, {}, "TabSeparated"); !made) {
    Close(keeper_);
    throw std::runtime_error("The ClickHouse engine cannot make its database: " + made.error().text);
  }
}

ChdbEngine::~ChdbEngine() {
  for (const Idle& idle : idle_) Close(idle.connection);
  Close(keeper_);
  library_->shutdown();
}

// Of the tables that there are: with each call.
ClickHouseResult<void> ChdbEngine::MergeKeepingAll() {
  const auto run = [this](std::string_view sql) -> ClickHouseResult<EngineAnswer> {
    EngineSession session;
    session.database = kDatabase;
    ClickHouseResult<EngineConnection> connection = Open(std::move(session));
    if (!connection) return tl::unexpected(connection.error());
    return connection->Query(sql, {}, "TabSeparated");
  };
  if (const auto stopped = run(kStopTtl); !stopped) return tl::unexpected(stopped.error());
  const auto tables = run(kInManyParts);
  if (!tables) return tl::unexpected(tables.error());
  for (std::string_view rest = tables->body; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string merge = "OPTIMIZE TABLE novafeed." + std::string(rest.substr(0, end)) + " FINAL";
    if (const auto merged = run(merge); !merged) return tl::unexpected(merged.error());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

ChdbHandle** ChdbEngine::Connect() {
  std::array<std::string, 3> arguments{"clickhouse", "--path=" + options_.directory + "/store",
                                       "--config-file=" + options_.directory + "/config.xml"};
  std::array<char*, 3> pointers{};
  std::transform(arguments.begin(), arguments.end(), pointers.begin(), [](std::string& text) { return text.data(); });
  const std::scoped_lock lock(connect_mutex_);
  return library_->connect(static_cast<int>(pointers.size()), pointers.data());
}

void ChdbEngine::Close(ChdbHandle** connection) {
  const std::scoped_lock lock(connect_mutex_);
  library_->close_conn(connection);
}

ChdbHandle** ChdbEngine::TakeIdle(const EngineSession& session) {
  const std::scoped_lock lock(idle_mutex_);
  const auto found =
      std::find_if(idle_.begin(), idle_.end(), [&](const Idle& idle) { return idle.session == session; });
  if (found == idle_.end()) return nullptr;
  ChdbHandle** connection = found->connection;
  idle_.erase(found);
  return connection;
}

void ChdbEngine::PutBack(EngineSession session, ChdbHandle** connection) {
  ChdbHandle** spare = nullptr;
  {
    const std::scoped_lock lock(idle_mutex_);
    idle_.push_front({std::move(session), connection});
    if (idle_.size() > options_.idle_connections) {
      spare = idle_.back().connection;
      idle_.pop_back();
    }
  }
  if (spare != nullptr) Close(spare);
}

ClickHouseResult<EngineConnection> ChdbEngine::Open(EngineSession session) {
  if (ChdbHandle** idle = TakeIdle(session); idle != nullptr) {
    return EngineConnection(this, std::move(session), idle);
  }
  ChdbHandle** connection = Connect();
  if (connection == nullptr) return tl::unexpected(ReadClickHouseError("the engine gave no connection"));
  EngineConnection opened(this, std::move(session), connection);
  if (auto prepared = Prepare(*connection, opened.session_); !prepared) {
    opened.fit_for_others_ = false;
    return tl::unexpected(std::move(prepared.error()));
  }
  return opened;
}

ClickHouseResult<void> ChdbEngine::Use(ChdbHandle* handle, const std::string& database) const {
  const std::string statement = "USE " + QuotedName(database);
  auto used = Run(handle, statement, {}, "TabSeparated");
  // After it was dropped, as the errors of the schema advise: without it no statement at all could run.
  if (!used && used.error().code == static_cast<int>(ClickHouseCode::kUnknownDatabase) && database == kDatabase) {
    used = Run(handle, kMakeDatabase, {}, "TabSeparated");
    if (used) used = Run(handle, statement, {}, "TabSeparated");
  }
  if (!used) return tl::unexpected(std::move(used.error()));
  return {};
}

ClickHouseResult<void> ChdbEngine::Prepare(ChdbHandle* handle, const EngineSession& session) const {
  if (auto used = Use(handle, session.database); !used) return used;
  std::vector<std::string> statements;
  for (const auto& [name, value] : session.settings) {
    if (!IsSettingName(name)) {
      return tl::unexpected(
          MakeClickHouseError(ClickHouseCode::kUnknownSetting, "Unknown setting " + Literal(name) + "."));
    }
    statements.push_back("SET " + name + " = " + Literal(value));
  }
  statements.push_back("SET readonly = " + std::to_string(session.readonly));
  for (const std::string& statement : statements) {
    if (auto done = Run(handle, statement, {}, "TabSeparated"); !done) {
      return tl::unexpected(std::move(done.error()));
    }
  }
  return {};
}

ClickHouseResult<EngineAnswer> ChdbEngine::Run(ChdbHandle* handle, std::string_view sql, const NamedTexts& params,
                                               std::string_view format) const {
  const ParamArrays arrays(params);
  return TakeAnswer(*library_,
                    library_->query_with_params_n(handle, sql.data(), sql.size(), format.data(), format.size(),
                                                  arrays.names.data(), arrays.name_sizes.data(), arrays.values.data(),
                                                  arrays.value_sizes.data(), params.size()));
}

void ChdbEngine::CancelAll() {
  static_cast<void>(Run(*keeper_, kKillAll, {}, "TabSeparated"));  // where it fails, they end by their own limits
}

}  // namespace novafeed
