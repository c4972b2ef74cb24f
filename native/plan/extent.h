// A part of the arena.
#pragma once

#include <stdint.h>

#include <algorithm>

namespace anneal {

// Offsets in the arena count words of so many bytes.
constexpr int64_t kWord = 4;

// Bytes of the arena from `begin` to before `end`.
struct Extent {
  int64_t begin = 0, end = 0;

  bool meets(const Extent& other) const { return begin < other.end && other.begin < end; }
  // Makes it reach over `other` too.
  void include(const Extent& other) {
    if (other.begin == other.end) return;
    *this = begin == end ? other : Extent{std::min(begin, other.begin), std::max(end, other.end)};
  }
};

}  // namespace anneal
