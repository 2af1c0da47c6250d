// Where the batches of an import go: into stores of this process, into a server, or nowhere (a dry run).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "import/batch.h"
#include "import/journal.h"

namespace novafeed {

// Port. Blocking; for one thread at a time. After an error it is used no more: a new one, and its Points, go on.
class ImportTarget {
 public:
  virtual ~ImportTarget() = default;

  // What is known of the files whose first line has this SHA-256.
  virtual Result<std::vector<ImportPoint>> Points(const std::string& head) = 0;

  // Applies a batch that goes on from one of those points, or behind the batch before. Its rows and the progress are
  // durable when it returns, its events then or with Settle. Adds to `report`: each line once, none of a batch that was
  // applied before and only sends its events again; also before it fails, what is done all the same.
  virtual Status Apply(const ImportBatch& batch, ImportReport* report) = 0;

  // Waits until all that was applied is durable. Adds to `report`.
  virtual Status Settle(ImportReport* report) = 0;
};

}  // namespace novafeed
