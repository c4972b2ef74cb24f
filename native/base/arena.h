// Zeroed, 64-byte aligned memory for whatever outlives a call: a plan's arena, resident data, results of a run. Shared
// by those who use it, freed with the last of them. Large blocks come from the system untouched, so that making one
// costs nothing until it is written, and ask for huge pages. Not here: what is where in it.
#pragma once

#include <stdint.h>

#include <memory>

namespace anneal {

class Arena {
 public:
  // Throws std::bad_alloc when there is no such memory.
  explicit Arena(int64_t bytes);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  char* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  char* data_;
  int64_t bytes_;
  void* mapping_ = nullptr;  // what the system gave, for large blocks
  int64_t mapped_ = 0;
};

}  // namespace anneal
