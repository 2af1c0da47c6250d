#include "adapters/chdb/library.h"

#include <dlfcn.h>

namespace novafeed {
namespace {

tl::unexpected<Error> Missing(const std::string& path, const std::string& why) {
  return Fail(Failure::kNotFound, "no_chdb",
              "The ClickHouse engine " + path + " cannot be loaded (" + why +
                  "): run ./run, which fetches it, or name it with the setting olap.library.");
}

std::string LoaderError() {
  const char* text = dlerror();
  return text != nullptr ? text : "no reason given";
}

// Finds functions one after the other; remembers the first that is not there.
class Symbols {
 public:
  explicit Symbols(void* library) : library_(library) {}

  template <class Function>
  void Find(const std::string& name, Function** function) {
    *function = reinterpret_cast<Function*>(dlsym(library_, ("chdb_" + name).c_str()));
    if (*function == nullptr && missing_.empty()) missing_ = "it has no chdb_" + name;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* const library_;
  std::string missing_;
};

}  // namespace

Result<ChdbLibrary> ChdbLibrary::Load(const std::string& path) {
  void* file = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr) return Missing(path, LoaderError());

  ChdbLibrary library{};
  Symbols symbols(file);
  symbols.Find("version", &library.version);
  symbols.Find("set_signal_handlers_enabled", &library.set_signal_handlers_enabled);
  symbols.Find("shutdown", &library.shutdown);
  symbols.Find("connect", &library.connect);
  symbols.Find("close_conn", &library.close_conn);
  symbols.Find("classify_query_n", &library.classify_query_n);
  symbols.Find("query_with_params_n", &library.query_with_params_n);
  symbols.Find("stream_query_with_params_n", &library.stream_query_with_params_n);
  symbols.Find("stream_fetch_result", &library.stream_fetch_result);
  symbols.Find("stream_cancel_query", &library.stream_cancel_query);
  symbols.Find("destroy_query_result", &library.destroy_query_result);
  symbols.Find("stream_insert_with_params_n", &library.stream_insert_with_params_n);
  symbols.Find("stream_append", &library.stream_append);
  symbols.Find("stream_done", &library.stream_done);
  symbols.Find("stream_insert_error", &library.stream_insert_error);
  symbols.Find("destroy_insert_stream", &library.destroy_insert_stream);
  symbols.Find("result_buffer", &library.result_buffer);
  symbols.Find("result_length", &library.result_length);
  symbols.Find("result_error", &library.result_error);
  symbols.Find("result_elapsed", &library.result_elapsed);
  symbols.Find("result_rows_read", &library.result_rows_read);
  symbols.Find("result_bytes_read", &library.result_bytes_read);
  symbols.Find("result_storage_rows_read", &library.result_storage_rows_read);
  symbols.Find("result_storage_bytes_read", &library.result_storage_bytes_read);
  symbols.Find("result_rows_written", &library.result_rows_written);
  symbols.Find("result_bytes_written", &library.result_bytes_written);
  if (!symbols.missing().empty()) return Missing(path, symbols.missing());

  library.set_signal_handlers_enabled(0);
  return library;
}

}  // namespace novafeed
