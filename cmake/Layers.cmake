# The law of the house: a room may include only the rooms listed beside it (and itself).
# One list, read by this build (a room links only these) and by tests/layers (which scans every #include).
# Form: "<room>: <room> <room> ...", in the order of the data's journey.
set(NOVAFEED_LAYERS
  "base:"
  "runtime: base"
  "http: base runtime"
  "social: base"
  "cache: base social"
  "graph: base social"
  "capture: base social graph"
  "stream: base social graph capture"
  "warehouse: base social graph capture stream"
  "erasure: base social graph capture stream"
  "index: base social graph capture stream warehouse"
  "check: base social graph capture stream warehouse index"
  "candidates: base runtime social stream warehouse index"
  "ranking: base social candidates"
  "timeline: base social stream index cache candidates ranking"
  "import: base social graph stream"
  "demo: base social import"
  "access: base social"
  "api: base runtime http social graph capture stream index candidates ranking timeline import demo access cache"
  "adapters/sqlite: base social graph capture stream"
  "adapters/postgres: base social graph capture"
  "adapters/kafka: base social graph capture stream warehouse"
  "adapters/clickhouse: base http warehouse"
  "adapters/chdb: base runtime http"
  "adapters/redis: base cache"
  "app: base runtime http social graph capture stream warehouse erasure index check candidates ranking timeline import demo access cache api adapters/sqlite adapters/postgres adapters/kafka adapters/redis adapters/clickhouse adapters/chdb"
)

set(NOVAFEED_ROOMS)
foreach(line IN LISTS NOVAFEED_LAYERS)
  string(REGEX MATCH "^[^:]+" room "${line}")
  string(REGEX REPLACE "^[^:]+: *" "" allowed "${line}")
  string(REPLACE " " ";" allowed "${allowed}")
  list(APPEND NOVAFEED_ROOMS ${room})
  set(NOVAFEED_ALLOWED_${room} ${allowed})
endforeach()
