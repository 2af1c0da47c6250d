// The beginning of an order, without sorting what is cut.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace novafeed {

// The best `count` of the items in order; the rest is dropped.
template <class Item, class Order>
void KeepBest(std::vector<Item>* items, std::size_t count, Order before) {
  if (items->size() > count) {
    std::nth_element(items->begin(), items->begin() + static_cast<std::ptrdiff_t>(count), items->end(), before);
    items->resize(count);
  }
  std::sort(items->begin(), items->end(), before);
}

}  // namespace novafeed
