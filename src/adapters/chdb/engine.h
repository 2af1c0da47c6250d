// The ClickHouse engine in this process: one data directory, many connections.
//
// Settings, the current database and read-only belong to a connection of the engine, and stay with it. So a connection
// is opened for one combination of them (a session), and afterwards serves only requests of the same session: nothing
// leaks from one request to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "adapters/chdb/exception.h"
#include "adapters/chdb/library.h"

namespace novafeed {

template <class T>
using ClickHouseResult = tl::expected<T, ClickHouseError>;

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

struct EngineOptions {
  std::string directory;             // of the engine's files; the caller holds its lock
  bool keeps_expired = false;        // rows stay beyond their TTL: nothing is merged but what MergeKeepingAll() merges
  std::int64_t max_memory = 0;       // bytes that all queries together may take
  std::size_t idle_connections = 0;  // kept for later requests
};

// What a request runs under; its settings are rendered as literals, names are checked.
struct EngineSession {
  std::string database;
  NamedTexts settings;  // in order, a later one wins
  int readonly = 0;     // ClickHouse's setting: 1 = reads, no settings; 2 = reads and settings; set last
  bool operator==(const EngineSession&) const = default;
};

// As the library puts it (chdb_classify_query_n).
enum class StatementClass { kReadOnly = 0, kMutating = 1, kMutatingGlobal = 2, kControl = 3, kUnknown = 4 };

struct StatementAnalysis {
  std::size_t statements = 0;
  StatementClass kind = StatementClass::kUnknown;
};

struct EngineSummary {
  double elapsed_seconds = 0;
  std::uint64_t read_rows = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_rows = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t result_rows = 0;
  std::uint64_t result_bytes = 0;
};

struct EngineAnswer {
  std::string body;
  EngineSummary summary;
};

class ChdbEngine;

// One connection, lent by the engine, which outlives it. For one thread at a time.
class EngineConnection {
 public:
  EngineConnection(EngineConnection&& other) noexcept;
  EngineConnection& operator=(EngineConnection&&) = delete;
  ~EngineConnection();

  // Reads nothing and runs nothing.
  StatementAnalysis Analyse(std::string_view sql) const;
  // `params` are {name:Type} of the statement, in ClickHouse's escaped form. A statement that fails, or that may
  // change the session (anything but one that only reads), is the connection's last.
  ClickHouseResult<EngineAnswer> Query(std::string_view sql, const NamedTexts& params, std::string_view format);
  // The same for one SELECT in a format that comes in pieces (result_format.h), of at most `max_bytes`
  // (TOO_MANY_ROWS_OR_BYTES): no more than these and one piece are held. Query() lets the engine hold the answer, which
  // takes several times its size while it grows.
  ClickHouseResult<EngineAnswer> Select(std::string_view sql, const NamedTexts& params, std::string_view format,
                                        std::size_t max_bytes);
  // `head` is an INSERT without FORMAT and data; `data` are sent one after the other.
  ClickHouseResult<EngineAnswer> Insert(std::string_view head, const NamedTexts& params, std::string_view format,
                                        const std::vector<std::string_view>& data);

 private:
  friend class ChdbEngine;
  EngineConnection(ChdbEngine* engine, EngineSession session, ChdbHandle** connection)
      : engine_(engine), session_(std::move(session)), connection_(connection) {}

  // Adds a piece of an answer, without its header where it is not the first; false where it is the empty last one.
  ClickHouseResult<bool> Append(ChdbResult* piece, std::string_view format, EngineAnswer* answer) const;
  ClickHouseResult<EngineAnswer> Fetch(ChdbResult* stream, std::string_view format, std::size_t max_bytes);

  ChdbEngine* engine_;
  EngineSession session_;
  ChdbHandle** connection_;
  bool fit_for_others_ = true;
};

// Thread-safe. Calls block for as long as the statement runs: max_execution_time bounds them.
class ChdbEngine {
 public:
  // Opens the directory, makes the database "novafeed". `library` outlives it. Throws std::runtime_error with a
  // sentence. One at a time in a process, and after the destructor no other.
  ChdbEngine(const ChdbLibrary* library, EngineOptions options);
  // All connections are back.
  ~ChdbEngine();
  ChdbEngine(const ChdbEngine&) = delete;
  ChdbEngine& operator=(const ChdbEngine&) = delete;

  // A connection for this session: an idle one, or a new one. The engine's error where it refuses a setting or does
  // not know the database.
  ClickHouseResult<EngineConnection> Open(EngineSession session);
  // Ends the statements that run, soon; they answer with an error.
  void CancelAll();
  // Where expired rows are kept: merges tables of the database "novafeed" that have come to many parts. The engine's
  // own merges would remove those rows, and begin before any statement can stop that.
  ClickHouseResult<void> MergeKeepingAll();

 private:
  friend class EngineConnection;
  struct Idle {
    EngineSession session;
    ChdbHandle** connection;
  };

  ChdbHandle** Connect();
  void Close(ChdbHandle** connection);
  ChdbHandle** TakeIdle(const EngineSession& session);
  void PutBack(EngineSession session, ChdbHandle** connection);
  ClickHouseResult<EngineAnswer> Run(ChdbHandle* handle, std::string_view sql, const NamedTexts& params,
                                     std::string_view format) const;
  ClickHouseResult<void> Use(ChdbHandle* handle, const std::string& database) const;
  ClickHouseResult<void> Prepare(ChdbHandle* handle, const EngineSession& session) const;

  const ChdbLibrary* const library_;
  const EngineOptions options_;
  std::mutex connect_mutex_;  // the library opens and closes one at a time
  std::mutex idle_mutex_;
  std::list<Idle> idle_;           // the most recently used first
  ChdbHandle** keeper_ = nullptr;  // keeps the engine alive
};

}  // namespace novafeed
