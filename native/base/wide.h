// Unsigned integers of 128 bits, as far as exact arithmetic on float64 significands needs them; not every compiler has
// such a type. Not here: what they stand for (fma.cc).
#pragma once

#include <stdint.h>

namespace anneal {

struct Wide {
  uint64_t high, low;
};

inline bool is_zero(Wide x) { return (x.high | x.low) == 0; }
inline bool less(Wide a, Wide b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }

inline Wide plus(Wide a, Wide b) {
  const uint64_t low = a.low + b.low;
  return {a.high + b.high + (low < a.low), low};
}

// a >= b
inline Wide minus(Wide a, Wide b) { return {a.high - b.high - (a.low < b.low), a.low - b.low}; }

// The product of a, b < 2^53.
inline Wide product(uint64_t a, uint64_t b) {
  constexpr uint64_t kHalf = 0xffffffffu;
  const uint64_t low = (a & kHalf) * (b & kHalf), high = (a >> 32) * (b >> 32);
  const uint64_t middle = (a >> 32) * (b & kHalf) + (a & kHalf) * (b >> 32) + (low >> 32);
  return {high + (middle >> 32), (middle << 32) | (low & kHalf)};
}

// 0 <= count < 128
inline Wide shifted_left(Wide x, int count) {
  if (count >= 64) return {x.low << (count - 64), 0};
  if (count == 0) return x;
  return {(x.high << count) | (x.low >> (64 - count)), x.low << count};
}

inline Wide shifted_right(Wide x, int count) {
  if (count >= 64) return {0, x.high >> (count - 64)};
  if (count == 0) return x;
  return {x.high >> count, (x.low >> count) | (x.high << (64 - count))};
}

// The same for any count >= 0, with the last bit set if any bit was lost ("jamming"): enough to round by later.
inline Wide jammed_right(Wide x, int count) {
  if (count >= 128) return {0, !is_zero(x)};
  Wide shifted = shifted_right(x, count);
  const Wide back = shifted_left(shifted, count);
  shifted.low |= back.high != x.high || back.low != x.low;
  return shifted;
}

// The number of bits from the highest that is set; x != 0.
inline int bit_length(Wide x) {
  int length = 1;
  uint64_t word = x.high ? x.high : x.low;
  for (int step = 32; step; step /= 2) {
    if (word >> step) word >>= step, length += step;
  }
  return x.high ? length + 64 : length;
}

}  // namespace anneal
