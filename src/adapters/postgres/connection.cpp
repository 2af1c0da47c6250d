#include "adapters/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "adapters/postgres/errors.h"

namespace novafeed::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kBinary = 1;
// A client that hangs must not keep its row locks for ever.
constexpr std::chrono::milliseconds kIdleInTransaction{60'000};

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::string FirstLineOfSecret(const std::string& path) {
  struct stat status{};
  std::ifstream file(path);
  std::string line;
  if (stat(path.c_str(), &status) != 0 || !file.is_open() || !std::getline(file, line) || line.empty()) {
    throw Lost("the password file " + path + " cannot be read, or is empty");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Lost("others may read the password file " + path + " (chmod 600 it)");
  }
  return line;
}

// What the server is told to hold to for every statement of a connection.
std::string ServerOptions(const ConnectionOptions& options) {
  const auto setting = [](const std::string& name, const std::string& value) { return " -c " + name + "=" + value; };
  return setting("search_path", kSchema) + setting("synchronous_commit", "on") +
         setting("statement_timeout", std::to_string(options.statement_deadline.count())) +
         setting("idle_in_transaction_session_timeout", std::to_string(kIdleInTransaction.count()));
}

std::string_view FieldOf(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? std::string_view() : text;
}

bool IsGood(ExecStatusType status) {
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, FreeResult>;

void IgnoreNotice(void*, const PGresult*) {}

}  // namespace

Target::Target(const std::string& url, std::string password_file) : password_file_(std::move(password_file)) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(url.c_str(), &problem));
  if (!parsed) {
    const std::string detail = problem == nullptr ? "out of memory" : problem;
    PQfreemem(problem);
    throw std::runtime_error("The database's URL is none that PostgreSQL understands: " + detail);
  }
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::strcmp(option->keyword, "password") == 0) {
      throw std::runtime_error("The database's URL has a password in it: put it into a file, and name that file.");
    }
    keywords_.emplace_back(option->keyword, option->val);
  }
}

Target::Keywords Target::ForConnect() const {
  Keywords keywords = keywords_;
  keywords.emplace_back("client_encoding", "UTF8");
  const auto is_named = [](const auto& keyword) { return keyword.first == "application_name"; };
  if (std::none_of(keywords.begin(), keywords.end(), is_named)) keywords.emplace_back("application_name", "novafeed");
  if (!password_file_.empty()) keywords.emplace_back("password", FirstLineOfSecret(password_file_));
  return keywords;
}

void Rows::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

int Rows::count() const {
  return PQntuples(result_.get());
}

std::int64_t Rows::affected() const {
  const char* text = PQcmdTuples(result_.get());
  return *text == '\0' ? 0 : std::stoll(text);
}

bool Rows::IsNull(int column) const {
  return PQgetisnull(result_.get(), row_, column) != 0;
}

std::string_view Rows::Raw(int column) const {
  return {PQgetvalue(result_.get(), row_, column), static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
}

void Connection::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

Connection::Connection(const Target& target, const ConnectionOptions& options) : options_(options) {
  Connect(target);
  PQsetNoticeReceiver(connection_.get(), &IgnoreNotice, nullptr);
  if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1) ThrowLost();
}

Connection::~Connection() = default;

void Connection::Connect(const Target& target) {
  Target::Keywords keywords = target.ForConnect();
  const auto given = std::find_if(keywords.begin(), keywords.end(), [](const auto& k) { return k.first == "options"; });
  if (given == keywords.end()) {
    keywords.emplace_back("options", ServerOptions(options_));
  } else {
    given->second += ServerOptions(options_);
  }
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : keywords) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);

  const TimePoint deadline = SteadyClock::now() + options_.connect_deadline;
  connection_.reset(PQconnectStartParams(names.data(), values.data(), 0));
  if (!connection_) throw std::bad_alloc();
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (PQstatus(connection_.get()) == CONNECTION_BAD || wanted == PGRES_POLLING_FAILED) ThrowLost();
    if (!Poll(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
      broken_ = true;
      throw Lost("it did not answer within " + std::to_string(options_.connect_deadline.count()) + " ms");
    }
    wanted = PQconnectPoll(connection_.get());
  }
}

const std::string& Connection::Prepare(const Statement& statement) {
  const auto [at, is_new] = prepared_.try_emplace(&statement);
  if (is_new) {
    at->second = "s" + std::to_string(++prepared_count_);
    if (PQsendPrepare(connection_.get(), at->second.c_str(), statement.sql, 0, nullptr) != 1) ThrowLost();
    pending_.push_back({&statement, true, Expect::kAnything});
  }
  return at->second;
}

void Connection::Send(const Statement& statement, const Parameters& parameters, Expect expect) {
  if (broken_) throw Lost("the connection was lost");
  const std::string& name = Prepare(statement);
  const int sent = PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(parameters.count()),
                                       parameters.Values().data(), parameters.lengths(), parameters.formats(), kBinary);
  if (sent != 1) ThrowLost();
  pending_.push_back({&statement, false, expect});
}

void Connection::Finish() {
  if (!pending_.empty()) PQclear(ReadPending());
}

// One error is thrown: the first, since what comes after it in the pipeline was not run.
pg_result* Connection::ReadPending() {
  if (PQpipelineSync(connection_.get()) != 1) ThrowLost();
  ResultPointer error(nullptr);
  ResultPointer last(nullptr);
  const char* failed = nullptr;      // what `error` is of
  const char* unexpected = nullptr;  // what did not do what it must have done
  while (!pending_.empty()) {
    const Pending pending = pending_.front();
    last.reset(ReadResult());
    if (!IsGood(PQresultStatus(last.get()))) {
      if (PQstatus(connection_.get()) == CONNECTION_BAD) ThrowLost();
      if (pending.is_prepare) prepared_.erase(pending.statement);  // it failed, or was not come to
      if (!error) {
        failed = pending.statement->doing;
        error = std::move(last);
      }
    } else if (pending.expect == Expect::kOneRow && std::string_view(PQcmdTuples(last.get())) != "1") {
      unexpected = pending.statement->doing;
    }
    if (ReadResult() != nullptr) throw std::logic_error("a statement with two results");
    pending_.pop_front();
  }
  PQclear(ReadResult());  // of the synchronisation
  if (error) ThrowError(failed, error.get());
  if (unexpected != nullptr) throw Conflict(unexpected);
  return last.release();
}

pg_result* Connection::ReadResult() {
  const TimePoint deadline = SteadyClock::now() + options_.statement_deadline + kAnswerGrace;
  int unsent = PQflush(connection_.get());
  while (PQisBusy(connection_.get()) != 0 || unsent != 0) {
    if (unsent < 0) ThrowLost();
    const short events = static_cast<short>(unsent == 1 ? POLLIN | POLLOUT : POLLIN);
    if (!Poll(events, deadline))
      ThrowSlow(pending_.empty() ? "ending a batch of statements" : pending_.front().statement->doing);
    if (PQconsumeInput(connection_.get()) != 1) ThrowLost();
    unsent = PQflush(connection_.get());
  }
  return PQgetResult(connection_.get());
}

void Connection::RollBack() noexcept {
  static constexpr Statement kRollback = {"rolling back", "ROLLBACK"};
  if (broken_) return;
  try {
    Finish();
  } catch (const std::exception&) {
    // What is taken back may have failed.
  }
  try {
    static_cast<void>(Execute(kRollback));
  } catch (const std::exception&) {
    broken_ = true;
  }
}

void Connection::Script(std::string_view doing, const std::string& sql) {
  if (PQexitPipelineMode(connection_.get()) != 1) throw std::logic_error("a script within a pipeline");
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1) ThrowLost();
  ResultPointer error(nullptr);
  for (ResultPointer result(ReadResult()); result; result.reset(ReadResult())) {
    if (!IsGood(PQresultStatus(result.get())) && !error) error = std::move(result);
  }
  if (error) {
    broken_ = true;  // it may be within a transaction
    ThrowError(doing, error.get());
  }
  if (PQenterPipelineMode(connection_.get()) != 1) ThrowLost();
}

// Nobody asked for anything, so what has arrived is the server's farewell, or its end. (It might be a notice: then a
// new connection costs a moment.)
bool Connection::IsUsable() {
  pollfd socket = {PQsocket(connection_.get()), POLLIN, 0};
  broken_ = broken_ || poll(&socket, 1, 0) != 0;
  return !broken_;
}

bool Connection::Poll(short events, TimePoint deadline) const {
  pollfd socket = {PQsocket(connection_.get()), events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
    if (left.count() <= 0) return false;
    const int ready = poll(&socket, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // libpq will say what is wrong with it
  }
}

void Connection::ThrowLost() {
  broken_ = true;
  std::istringstream lines(PQerrorMessage(connection_.get()));
  std::string cause;
  for (std::string line; std::getline(lines >> std::ws, line);) {
    if (!line.starts_with("Is the server running")) cause += (cause.empty() ? "" : "; ") + line;
  }
  throw Lost(cause);
}

void Connection::ThrowError(std::string_view doing, const pg_result* error) {
  try {
    ThrowServerError(doing, FieldOf(error, PG_DIAG_SQLSTATE), FieldOf(error, PG_DIAG_MESSAGE_PRIMARY));
  } catch (const ConnectionLost&) {
    broken_ = true;
    throw;
  }
}

void Connection::ThrowSlow(std::string_view doing) {
  broken_ = true;
  ThrowServerError(doing, "57014", "");
}

}  // namespace novafeed::postgres
