// libchdb, loaded at run time: the few functions of its C interface that Novafeed calls, with their types.
//
// The library is 566 MB and brings its own allocator and signal handlers, so it is never linked: only the process that
// owns the engine loads it, and all others start without it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace novafeed {

// The library's own objects, known here by address only.
struct ChdbHandle;  // what a query runs on
struct ChdbResult;
struct ChdbInsertStream;

// What chdb_classify_query_n fills in; the layout is the library's (version 1).
struct ChdbAnalysis {
  std::uint32_t struct_size = sizeof(std::uint32_t) * 4;
  std::uint32_t statement_count = 0;
  std::uint32_t flags = 0;
  std::uint32_t query_class = 0;  // StatementClass of engine.h
};

// The functions, by the names that they have in the library without the prefix `chdb_`. Thread-safe as the library is:
// one statement at a time on a connection, any number of connections.
struct ChdbLibrary {
  // Loads the file and finds all functions; the library stays loaded until the process ends. Turns the library's
  // signal handlers off. kNotFound "no_chdb" where the file is missing or is another version's.
  static Result<ChdbLibrary> Load(const std::string& path);

  const char* (*version)();
  void (*set_signal_handlers_enabled)(int enabled);
  int (*shutdown)();

  ChdbHandle** (*connect)(int argc, char** argv);  // null where it fails
  void (*close_conn)(ChdbHandle** connection);

  int (*classify_query_n)(ChdbHandle* handle, const char* sql, std::size_t sql_size, const char* database,
                          std::size_t database_size, ChdbAnalysis* analysis);
  ChdbResult* (*query_with_params_n)(ChdbHandle* handle, const char* sql, std::size_t sql_size, const char* format,
                                     std::size_t format_size, const char* const* names, const std::size_t* name_sizes,
                                     const char* const* values, const std::size_t* value_sizes, std::size_t count);
  // The first result is the stream's; each fetch gives a piece, the last an empty one. Only for SELECT.
  ChdbResult* (*stream_query_with_params_n)(ChdbHandle* handle, const char* sql, std::size_t sql_size,
                                            const char* format, std::size_t format_size, const char* const* names,
                                            const std::size_t* name_sizes, const char* const* values,
                                            const std::size_t* value_sizes, std::size_t count);
  ChdbResult* (*stream_fetch_result)(ChdbHandle* handle, ChdbResult* stream);
  void (*stream_cancel_query)(ChdbHandle* handle, ChdbResult* stream);
  void (*destroy_query_result)(ChdbResult* result);

  ChdbInsertStream* (*stream_insert_with_params_n)(ChdbHandle* handle, const char* sql, std::size_t sql_size,
                                                   const char* format, std::size_t format_size,
                                                   const char* const* names, const std::size_t* name_sizes,
                                                   const char* const* values, const std::size_t* value_sizes,
                                                   std::size_t count);
  int (*stream_append)(ChdbInsertStream* stream, const void* data, std::size_t size);
  ChdbResult* (*stream_done)(ChdbInsertStream* stream);
  const char* (*stream_insert_error)(ChdbInsertStream* stream);  // null: none
  void (*destroy_insert_stream)(ChdbInsertStream* stream);

  char* (*result_buffer)(ChdbResult* result);
  std::size_t (*result_length)(ChdbResult* result);
  const char* (*result_error)(ChdbResult* result);  // null: none
  double (*result_elapsed)(ChdbResult* result);     // seconds
  std::uint64_t (*result_rows_read)(ChdbResult* result);
  std::uint64_t (*result_bytes_read)(ChdbResult* result);
  std::uint64_t (*result_storage_rows_read)(ChdbResult* result);
  std::uint64_t (*result_storage_bytes_read)(ChdbResult* result);
  std::uint64_t (*result_rows_written)(ChdbResult* result);
  std::uint64_t (*result_bytes_written)(ChdbResult* result);
};

}  // namespace novafeed
