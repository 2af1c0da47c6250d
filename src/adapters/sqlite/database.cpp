#include "adapters/sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace novafeed::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;
constexpr int kReaderCacheMebibytes = 4;
constexpr int kWriterCacheMebibytes = 64;

// The last error of the write-ahead log's file. (SQLite does not hand on what failed inside a commit.)
int WalFileError(sqlite3* handle) {
  sqlite3_file* file = nullptr;
  int error = 0;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (file != nullptr && file->pMethods != nullptr) {
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
  }
  return error;
}

// The system's error behind `code`, 0 where there is none (SQLite keeps the last one, whatever came after it).
int SystemError(sqlite3* handle, int code) {
  const int primary = code & 0xff;
  if (handle == nullptr || (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN)) {
    return 0;
  }
  const int error = sqlite3_system_errno(handle);
  return error != 0 ? error : WalFileError(handle);
}

bool IsOutOfSpace(int code, int system_error) {
  return (code & 0xff) == SQLITE_FULL || system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

Error TranslateError(int code, int system_error, const std::string& what) {
  if (IsOutOfSpace(code, system_error)) {
    return {Failure::kStorageFull, "disk_full",
            what + " Free some space on that disk; writing goes on by itself as soon as there is some."};
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Failure::kUnavailable, "database_busy", what + " Another process holds the file; try again.", 1000};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Failure::kInternal, "database_corrupt",
              what + " The file is damaged: stop the server and restore the data directory from a backup."};
    case SQLITE_CONSTRAINT:
      return {Failure::kInternal, "constraint_violated", what + " This is a bug: a rule was not checked before."};
    default:
      return {Failure::kInternal, "database_failed", what + " Check the disk and the rights of the data directory."};
  }
}

int SqliteMode(CheckpointMode mode) {
  switch (mode) {
    case CheckpointMode::kPassive:
      return SQLITE_CHECKPOINT_PASSIVE;
    case CheckpointMode::kRestart:
      return SQLITE_CHECKPOINT_RESTART;
    case CheckpointMode::kTruncate:
      break;
  }
  return SQLITE_CHECKPOINT_TRUNCATE;
}

int OnWalGrew(void* pages, sqlite3*, const char*, int count) {
  *static_cast<std::int64_t*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

Database::Database(const std::string& path, Access access) : path_(path) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (access == Access::kWrite ? SQLITE_OPEN_CREATE : 0);
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) {
    Throw(code, "opening it");
  }
  sqlite3_extended_result_codes(opened, 1);
  SetBusyTimeout(kBusyTimeoutMs);
  SetCacheMebibytes(access == Access::kWrite ? kWriterCacheMebibytes : kReaderCacheMebibytes);
  Execute("setting up the connection", "PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA mmap_size=268435456;");
  if (access == Access::kRead) {
    Execute("setting up a reader", "PRAGMA query_only=ON");
    return;
  }
  Execute("turning on the write-ahead log",
          "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=ON;");
  sqlite3_wal_hook(opened, &OnWalGrew, wal_pages_.get());  // in place of SQLite's own automatic checkpoints
}

Database::~Database() = default;

void Database::Throw(int code, std::string_view doing) const {
  sqlite3* handle = handle_.get();
  const int system_error = SystemError(handle, code);
  std::string what = path_ + ": while " + std::string(doing) + ": ";
  what += handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  if (system_error != 0) {
    what += std::string(" (") + std::strerror(system_error) + ")";
  }
  throw StoreError(TranslateError(code, system_error, what + "."));
}

void Database::Execute(const char* doing, const std::string& sql) {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    Throw(code, doing);
  }
}

std::int64_t Database::QueryInt(const char* doing, const std::string& sql) {
  Statement statement(*this, doing, sql.c_str());
  Rows rows = statement.Query();
  return rows.Next() ? rows.Int(0) : 0;
}

void Database::SetCacheMebibytes(int mebibytes) {
  Execute("setting the cache size", "PRAGMA cache_size=-" + std::to_string(mebibytes * 1024));
}

void Database::SetBusyTimeout(int milliseconds) {
  sqlite3_busy_timeout(handle(), milliseconds);
}

bool Database::InTransaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

bool Database::Checkpoint(CheckpointMode mode) {
  constexpr int kRestartWaitMs = 200;
  int in_log = 0;
  int folded = 0;
  if (mode != CheckpointMode::kPassive) {
    SetBusyTimeout(kRestartWaitMs);
  }
  const int code = sqlite3_wal_checkpoint_v2(handle(), nullptr, SqliteMode(mode), &in_log, &folded);
  SetBusyTimeout(kBusyTimeoutMs);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
    Throw(code, "folding the write-ahead log into the file");
  }
  return code == SQLITE_OK && in_log == folded;
}

void Database::DropCache() {
  sqlite3_db_release_memory(handle());
}

Rows::~Rows() {
  statement_->Reset();
}
bool Rows::Next() {
  return statement_->Step();
}
bool Rows::IsNull(int column) const {
  return sqlite3_column_type(statement_->handle_, column) == SQLITE_NULL;
}
std::int64_t Rows::Int(int column) const {
  return sqlite3_column_int64(statement_->handle_, column);
}

std::string_view Rows::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_->handle_, column);
  const int size = sqlite3_column_bytes(statement_->handle_, column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Uuid Rows::Id(int column) const {
  const std::string_view bytes = Bytes(column);
  Uuid id;
  if (bytes.size() != id.bytes.size()) {
    statement_->database_->Throw(SQLITE_CORRUPT, "reading an id");
  }
  std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
  return id;
}

std::optional<std::string> Rows::OptionalText(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Text(column));
}

std::optional<std::int64_t> Rows::OptionalInt(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Int(column));
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::Prepare() {
  if (handle_ == nullptr) {
    Check(sqlite3_prepare_v3(database_->handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr));
  }
}

void Statement::Check(int code) const {
  if (code != SQLITE_OK) {
    database_->Throw(code, doing_);
  }
}

void Statement::Bind(int index, Lifetime, std::int64_t value) {
  Check(sqlite3_bind_int64(handle_, index, value));
}

void Statement::Bind(int index, Lifetime lifetime, std::string_view text) {
  // A view without data would be bound as NULL.
  const char* data = text.data() != nullptr ? text.data() : "";
  Check(sqlite3_bind_text64(handle_, index, data, text.size(),
                            lifetime == Lifetime::kCopied ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::Bind(int index, Lifetime lifetime, Blob blob) {
  const char* data = blob.bytes.data() != nullptr ? blob.bytes.data() : "";
  Check(sqlite3_bind_blob64(handle_, index, data, blob.bytes.size(),
                            lifetime == Lifetime::kCopied ? SQLITE_TRANSIENT : SQLITE_STATIC));
}

void Statement::Bind(int index, Lifetime lifetime, const Uuid& id) {
  Bind(index, lifetime, Blob{{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()}});
}

void Statement::BindNull(int index) {
  Check(sqlite3_bind_null(handle_, index));
}

bool Statement::Step() {
  const int code = sqlite3_step(handle_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    database_->Throw(code, doing_);
  }
  return code == SQLITE_ROW;
}

std::int64_t Statement::Finish() {
  const Rows run(this);
  while (Step()) {
  }
  return sqlite3_changes64(database_->handle());
}

void Statement::Reset() {
  sqlite3_reset(handle_);
}

}  // namespace novafeed::sqlite
