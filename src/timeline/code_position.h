// A position among the fields of a record (social/byte_codec.h).
#pragma once

namespace novafeed {

template <class Coder, class Place>
void CodePosition(Coder& coder, Place& position) {
  coder.Code(position.generation, position.changes, position.events);
}

}  // namespace novafeed
