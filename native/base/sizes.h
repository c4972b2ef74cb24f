// Checked size arithmetic. Every product of sizes that reaches native code goes through here. Not here: reading sizes
// from JavaScript (binding/args.h).
#pragma once

#include <stdint.h>

namespace anneal {

// The largest size JavaScript can name exactly.
constexpr int64_t kMaxSize = int64_t{1} << 53;

// a * b, or -1 when an operand is negative (so that an overflow stays one) or the product exceeds 2^53.
constexpr int64_t checked_mul(int64_t a, int64_t b) {
  if (a < 0 || b < 0) return -1;
  if (a == 0 || b == 0) return 0;
  return a > kMaxSize / b ? -1 : a * b;
}

// a + b under the same rules.
constexpr int64_t checked_add(int64_t a, int64_t b) {
  if (a < 0 || b < 0 || a > kMaxSize || b > kMaxSize - a) return -1;
  return a + b;
}

}  // namespace anneal
