// Ids that are never accepted again, as stores keep them.
#pragma once

#include "base/uuid.h"
#include "graph/store.h"

namespace novafeed {

// The first 128 bits of SHA-256 over "novafeed/retired", the kind's byte and the 16 bytes of the id. A store keeps
// these in place of the ids: it recognises what was erased, and holds no id of it. Stored, so it never changes. Pure.
Uuid RetiredDigest(RetiredKind kind, const Uuid& id);

}  // namespace novafeed
