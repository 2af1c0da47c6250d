#include "adapters/chdb/clickhouse_http.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/chdb/result_format.h"
#include "adapters/chdb/statement.h"
#include "base/json.h"
#include "base/uuid.h"
#include "http/gzip.h"
#include "runtime/await.h"

namespace novafeed {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::string_view kDefaultDatabase = "novafeed";
constexpr std::string_view kDefaultFormat = "TabSeparated";
constexpr const char* kPlainText = "text/plain; charset=UTF-8";
constexpr const char* kListDatabases = "SELECT name, engine FROM system.databases";
constexpr const char* kParse = "SELECT formatQuery({query:String})";

HttpResponse TextResponse(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.content_type = kPlainText;
  response.body = std::move(text);
  return response;
}

HttpResponse ErrorResponse(const ClickHouseError& error) {
  HttpResponse response = TextResponse(HttpStatusOf(error.code), error.text + "\n");
  response.headers.emplace_back("X-ClickHouse-Exception-Code", std::to_string(error.code));
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"novafeed olap\"");
  return response;
}

// X-ClickHouse-Summary: numbers as strings, as ClickHouse has them.
std::string RenderSummary(const EngineSummary& summary) {
  std::string text;
  JsonWriter json(&text);
  const auto number = [&json](std::string_view name, std::uint64_t value) {
    json.Key(name).String(std::to_string(value));
  };
  json.BeginObject();
  number("read_rows", summary.read_rows);
  number("read_bytes", summary.read_bytes);
  number("written_rows", summary.written_rows);
  number("written_bytes", summary.written_bytes);
  number("result_rows", summary.result_rows);
  number("result_bytes", summary.result_bytes);
  number("elapsed_ns", static_cast<std::uint64_t>(summary.elapsed_seconds * 1e9));
  json.EndObject();
  return text;
}

// The lines of kListDatabases.
std::vector<DatabaseKind> ReadDatabases(std::string_view text) {
  std::vector<DatabaseKind> databases;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t tab = std::min(line.rfind('\t'), line.size());
    databases.push_back({std::string(line.substr(0, tab)), std::string(line.substr(std::min(tab + 1, line.size())))});
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return databases;
}

// A text as the value of a parameter: ClickHouse reads those with the escapes of TabSeparated.
std::string EscapeParam(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

tl::unexpected<ClickHouseError> Refuse(ClickHouseCode code, std::string_view sentence) {
  return tl::unexpected(MakeClickHouseError(code, sentence));
}

}  // namespace

// One query on its way: what it says, whose it is, and what is data of it.
struct ClickHouseHttp::Job {
  const ClickHouseRequest& request;
  OlapRole role;
  bool only_reads;        // GET
  std::string text;       // the statement; of an INSERT with data perhaps with the first of them
  std::string_view body;  // data that come after `text`
  StatementShape shape;
  std::string_view format;  // of the answer
};

ClickHouseHttp::ClickHouseHttp(ChdbEngine* engine, OlapUsers users, BlockingPool* pool, ClickHouseHttpOptions options)
    : engine_(engine), users_(std::move(users)), pool_(pool), options_(options) {}

RequestHandler ClickHouseHttp::handler() {
  return [this](const HttpRequest& request) { return Handle(&request); };
}

ProblemMaker ClickHouseHttp::problem_maker() {
  return [](int status, std::string_view, std::string_view detail, std::string_view) {
    return TextResponse(status, std::string(detail) + "\n");
  };
}

asio::awaitable<HttpResponse> ClickHouseHttp::Handle(const HttpRequest* request) {
  if (!IsLoopbackHost(request->Header("Host"))) {
    co_return TextResponse(403, "This server answers to 127.0.0.1, localhost and [::1] only.\n");
  }
  const bool reads = request->method == Method::kGet || request->method == Method::kHead;
  if (!reads && request->method != Method::kPost) co_return TextResponse(405, "Send GET or POST.\n");
  if (request->path == "/ping") co_return TextResponse(200, "Ok.\n");
  if (request->path != "/") co_return TextResponse(404, "There is no handle " + request->path + "; use / or /ping.\n");
  if (reads && request->query.empty()) co_return TextResponse(200, "Ok.\n");

  const ClickHouseResult<ClickHouseRequest> parsed = ParseClickHouseRequest(*request);
  if (!parsed) co_return ErrorResponse(parsed.error());
  if (!parsed->credentials) {
    co_return ErrorResponse(MakeClickHouseError(
        ClickHouseCode::kRequiredPassword, "Authentication is required: send the user and password of olap.json."));
  }
  const std::optional<OlapRole> role = Authenticate(users_, parsed->credentials->user, parsed->credentials->password);
  if (!role) {
    co_return ErrorResponse(
        MakeClickHouseError(ClickHouseCode::kAuthenticationFailed,
                            "Authentication failed: password is incorrect, or there is no user with such name."));
  }
  const steady_clock::time_point came = steady_clock::now();
  std::function<HttpResponse()> answer = [this, request, came, role = *role, &query = *parsed] {
    if (steady_clock::now() - came > options_.longest_wait) {
      return ErrorResponse(
          MakeClickHouseError(ClickHouseCode::kTooManyQueries, "Too many simultaneous queries: send it again later."));
    }
    return Answer(*request, query, role);
  };
  Result<HttpResponse> response = co_await AwaitBlocking(pool_, std::move(answer));
  if (response) co_return std::move(*response);
  co_return ErrorResponse(MakeClickHouseError(ClickHouseCode::kTooManyQueries, response.error().detail));
}

HttpResponse ClickHouseHttp::Answer(const HttpRequest& request, const ClickHouseRequest& parsed, OlapRole role) {
  Job job{parsed, role, request.method != Method::kPost, parsed.query, request.body, {}, {}};
  job.shape = DescribeStatement(job.text);
  if (!job.shape.data) {  // the statement goes on in the body
    if (!job.text.empty() && !job.body.empty()) job.text += '\n';
    job.text += job.body;
    job.body = {};
    job.shape = DescribeStatement(job.text);
  }
  job.format = !job.shape.output_format.empty() ? job.shape.output_format
               : !parsed.format.empty()         ? std::string_view(parsed.format)
                                                : kDefaultFormat;

  ClickHouseResult<EngineAnswer> answer = Run(job);
  HttpResponse response = answer ? TextResponse(200, std::move(answer->body)) : ErrorResponse(answer.error());
  if (answer) {
    response.content_type = ContentTypeOf(job.format);
    response.headers.emplace_back("X-ClickHouse-Format", job.format);
    response.headers.emplace_back("X-ClickHouse-Summary", RenderSummary(answer->summary));
  }
  const std::string query_id = parsed.query_id.empty() ? request.request_id : parsed.query_id;
  response.headers.emplace_back("X-ClickHouse-Query-Id", query_id);
  if (parsed.compress_answer) {
    response.body = Gzip(response.body);
    response.headers.emplace_back("Content-Encoding", "gzip");
  }
  return response;
}

EngineSession ClickHouseHttp::SessionOf(const Job& job) const {
  const QueryLimits& limits = options_.limits;
  EngineSession session;
  session.database = job.request.database.empty() ? kDefaultDatabase : std::string_view(job.request.database);
  session.settings = {
      {"async_insert", "0"},     // this engine's default is 1: an answer would come before the row is there
      {"implicit_select", "0"},  // this engine's default is 1, ClickHouse's server has 0
      {"max_execution_time", std::to_string(limits.max_execution_time)},
      {"max_memory_usage", std::to_string(limits.max_memory_usage)},
      {"max_result_bytes", std::to_string(limits.max_result_bytes)},
      {"max_threads", std::to_string(limits.max_threads)},
  };
  session.settings.insert(session.settings.end(), job.request.settings.begin(), job.request.settings.end());
  session.readonly = job.role == OlapRole::kReader ? 1 : job.only_reads ? 2 : 0;
  return session;
}

ClickHouseResult<EngineAnswer> ClickHouseHttp::Run(const Job& job) {
  const bool is_reader = job.role == OlapRole::kReader;
  if (job.shape.names_file) {
    return Refuse(ClickHouseCode::kUnknownTypeOfQuery, "INTO OUTFILE and FROM INFILE are not allowed over HTTP.");
  }
  if (is_reader) {
    if (auto refused = CheckReadOnlySettings(job.request.settings, options_.limits)) return tl::unexpected(*refused);
  }
  if (job.shape.is_insert && (is_reader || job.only_reads)) {
    return Refuse(ClickHouseCode::kReadonly,
                  "Cannot execute query in readonly mode: send a POST as the user novafeed.");
  }

  ClickHouseResult<EngineConnection> connection = engine_->Open(SessionOf(job));
  if (!connection) return tl::unexpected(std::move(connection.error()));
  if (job.shape.data) {
    const InsertData& data = *job.shape.data;
    const std::string_view text = job.text;
    return connection->Insert(text.substr(0, data.head_end), job.request.params, data.format,
                              {text.substr(data.begin), job.body});
  }
  const StatementAnalysis analysis = connection->Analyse(job.text);
  if (auto whole = CheckWhole(job, analysis, &*connection); !whole) return tl::unexpected(std::move(whole.error()));
  if (job.only_reads && !IsOneRead(analysis)) {
    return Refuse(ClickHouseCode::kReadonly, "Cannot execute query in readonly mode: a GET only reads, send a POST.");
  }
  if (is_reader) {
    if (auto allowed = CheckReader(job, analysis, &*connection); !allowed) {
      return tl::unexpected(std::move(allowed.error()));
    }
  }
  return RunStatement(job, analysis, &*connection);
}

ClickHouseResult<EngineAnswer> ClickHouseHttp::RunStatement(const Job& job, const StatementAnalysis& analysis,
                                                            EngineConnection* connection) {
  if (job.shape.is_select && IsOneRead(analysis) && ComesInPieces(job.format)) {
    return connection->Select(job.text, job.request.params, job.format, MaxResultBytes(job));
  }
  if (IsOneRead(analysis) || !MayChangeDatabases(job.text)) {
    return connection->Query(job.text, job.request.params, job.format);
  }
  approved_.Forget();
  ClickHouseResult<EngineAnswer> answer = connection->Query(job.text, job.request.params, job.format);
  approved_.Forget();
  return answer;
}

// What the session has for max_result_bytes. The engine counts the bytes of an answer before they are written out, and
// a constant column once for many rows: it would let answers pass that are a hundred times as long.
std::size_t ClickHouseHttp::MaxResultBytes(const Job& job) const {
  std::uint64_t bytes = static_cast<std::uint64_t>(options_.limits.max_result_bytes);
  for (const auto& [name, value] : job.request.settings) {
    if (name == "max_result_bytes") std::from_chars(value.data(), value.data() + value.size(), bytes);
  }
  return bytes == 0 ? std::numeric_limits<std::size_t>::max() : bytes;
}

// The engine runs several statements of a text one after the other, until one is malformed; ClickHouse's server runs
// one, or none.
ClickHouseResult<void> ClickHouseHttp::CheckWhole(const Job& job, const StatementAnalysis& analysis,
                                                  EngineConnection* connection) const {
  if (analysis.statements == 1) return {};
  if (analysis.statements > 1) {
    return Refuse(ClickHouseCode::kSyntaxError, "Multi-statements are not allowed: send one at a time.");
  }
  if (job.text.empty()) return Refuse(ClickHouseCode::kSyntaxError, "Syntax error: Empty query.");
  // As a value, so that nothing of it can run.
  const auto parsed = connection->Query(kParse, {{"query", EscapeParam(job.text)}}, kDefaultFormat);
  if (!parsed) return tl::unexpected(parsed.error());
  return {};
}

ClickHouseResult<void> ClickHouseHttp::CheckReader(const Job& job, const StatementAnalysis& analysis,
                                                   EngineConnection* connection) {
  const bool is_of_own_database = job.request.database.empty() || job.request.database == kDefaultDatabase;
  if (is_of_own_database && approved_.Has(job.text)) return {};
  const std::uint64_t round = approved_.Round();
  const auto listed = connection->Query(kListDatabases, {}, "TSVRaw");
  if (!listed) return tl::unexpected(listed.error());
  const std::vector<DatabaseKind> databases = ReadDatabases(listed->body);
  if (!job.request.database.empty() && !IsOpenDatabase(job.request.database, databases)) {
    return Refuse(ClickHouseCode::kAccessDenied,
                  "The read-only user may not use another database than novafeed and those of your own.");
  }
  std::string tree;
  const std::string explain = "EXPLAIN AST " + job.text;
  if (IsOneRead(analysis) && IsOneRead(connection->Analyse(explain))) {
    auto explained = connection->Query(explain, job.request.params, "TSVRaw");
    if (!explained) return tl::unexpected(std::move(explained.error()));
    tree = std::move(explained->body);
  }
  if (auto refused = CheckReadOnly(analysis, tree, databases)) return tl::unexpected(std::move(*refused));
  if (is_of_own_database) approved_.Add(job.text, round);
  return {};
}

}  // namespace novafeed
