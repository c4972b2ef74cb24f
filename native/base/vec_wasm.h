// The native word of WebAssembly: four floats, no fused multiply-add; every result has the bits of SSE2's. See vec.h.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

#define ANNEAL_INLINE static inline __attribute__((always_inline, unused))
#define ANNEAL_INLINE_LAMBDA __attribute__((always_inline))
#define ANNEAL_OUTLINE static __attribute__((noinline, unused))

namespace anneal {
namespace {

using W = v128_t;
using WM = v128_t;
constexpr int kWordLanes = 4;
constexpr int kRegisters =
    20;  // the engine's compiler has the machine's 16 or 32; measured: 16 is 10 % slower, 12 60 %

namespace word {

ANNEAL_INLINE W load(const float* p) { return wasm_v128_load(p); }
ANNEAL_INLINE void store(float* p, W a) { wasm_v128_store(p, a); }

ANNEAL_INLINE W load_first(const float* p, int n) {
  if (n >= 4) return load(p);
  if (n == 3) return wasm_v128_load32_lane(p + 2, wasm_v128_load64_zero(p), 2);
  if (n == 2) return wasm_v128_load64_zero(p);
  return n == 1 ? wasm_v128_load32_zero(p) : wasm_f32x4_const_splat(0.0f);
}

ANNEAL_INLINE void store_first(float* p, W a, int n) {
  if (n >= 4) return store(p, a);
  if (n & 2) {
    wasm_v128_store64_lane(p, a, 0);
    a = wasm_i64x2_shuffle(a, a, 1, 1);
    p += 2;
  }
  if (n & 1) wasm_v128_store32_lane(p, a, 0);
}

ANNEAL_INLINE W set1(float s) { return wasm_f32x4_splat(s); }
ANNEAL_INLINE W set1_bits(int32_t s) { return wasm_i32x4_splat(s); }

ANNEAL_INLINE W add(W a, W b) { return wasm_f32x4_add(a, b); }
ANNEAL_INLINE W sub(W a, W b) { return wasm_f32x4_sub(a, b); }
ANNEAL_INLINE W mul(W a, W b) { return wasm_f32x4_mul(a, b); }
ANNEAL_INLINE W div(W a, W b) { return wasm_f32x4_div(a, b); }
ANNEAL_INLINE W sqrt(W a) { return wasm_f32x4_sqrt(a); }
// pmax(b, a) is b < a ? a : b: like x86's of (a, b), it gives b where either is NaN.
ANNEAL_INLINE W max(W a, W b) { return wasm_f32x4_pmax(b, a); }
ANNEAL_INLINE W min(W a, W b) { return wasm_f32x4_pmin(b, a); }
ANNEAL_INLINE W fma(W a, W b, W c) { return add(mul(a, b), c); }
ANNEAL_INLINE W flip_sign(W a) { return wasm_f32x4_neg(a); }

ANNEAL_INLINE WM less(W a, W b) { return wasm_f32x4_lt(a, b); }
ANNEAL_INLINE WM less_or_equal(W a, W b) { return wasm_f32x4_le(a, b); }
ANNEAL_INLINE WM equal(W a, W b) { return wasm_f32x4_eq(a, b); }
ANNEAL_INLINE WM unordered(W a, W b) { return wasm_v128_or(wasm_f32x4_ne(a, a), wasm_f32x4_ne(b, b)); }
ANNEAL_INLINE W select(WM m, W a, W b) { return wasm_v128_bitselect(a, b, m); }

ANNEAL_INLINE W and_bits(W a, W b) { return wasm_v128_and(a, b); }
ANNEAL_INLINE W add_bits(W a, W b) { return wasm_i32x4_add(a, b); }
template <int kBits>
ANNEAL_INLINE W shift_left_bits(W a) {
  return wasm_i32x4_shl(a, kBits);
}
template <int kBits>
ANNEAL_INLINE W shift_right_bits(W a) {
  return wasm_i32x4_shr(a, kBits);
}
ANNEAL_INLINE W float_of_bits(W a) { return wasm_f32x4_convert_i32x4(a); }

ANNEAL_INLINE void eight_bits(W eight, W* w) {
  w[0] = wasm_u32x4_extend_low_u16x8(eight);
  w[1] = wasm_u32x4_extend_high_u16x8(eight);
}
// Sixteen unsigned integers to the lanes' bits.
ANNEAL_INLINE void load_bits(const uint16_t* p, W* w) {
  eight_bits(wasm_v128_load(p), w);
  eight_bits(wasm_v128_load(p + 8), w + 2);
}
ANNEAL_INLINE void load_bits(const uint8_t* p, W* w) {
  const W all = wasm_v128_load(p);
  eight_bits(wasm_u16x8_extend_low_u8x16(all), w);
  eight_bits(wasm_u16x8_extend_high_u8x16(all), w + 2);
}

ANNEAL_INLINE W load_quarters(const float* p, ptrdiff_t) { return load(p); }
ANNEAL_INLINE void store_quarters(float* p, ptrdiff_t, W a) { store(p, a); }
ANNEAL_INLINE W gather_quarters(const float* p, const int32_t* row, ptrdiff_t width, int n) {
  return load_first(p + row[0] * width, n);
}
template <int>
ANNEAL_INLINE void turn_quarters(W (&)[1]) {}
ANNEAL_INLINE void turn4(W& a, W& b, W& c, W& d) {
  const W ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), ab_high = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  const W cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), cd_high = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  a = wasm_i64x2_shuffle(ab, cd, 0, 2);
  b = wasm_i64x2_shuffle(ab, cd, 1, 3);
  c = wasm_i64x2_shuffle(ab_high, cd_high, 0, 2);
  d = wasm_i64x2_shuffle(ab_high, cd_high, 1, 3);
}

// Four lanes to one: (0 + 2) + (1 + 3).
ANNEAL_INLINE float sum(const W* w) {
  const W a = add(add(w[0], w[2]), add(w[1], w[3]));
  const W b = add(a, wasm_i64x2_shuffle(a, a, 1, 1));
  return wasm_f32x4_extract_lane(b, 0) + wasm_f32x4_extract_lane(b, 1);
}

// to[c * to_stride + r] = from[r * from_stride + c] for r, c < 4.
ANNEAL_INLINE void transpose4(const float* from, ptrdiff_t from_stride, float* to, ptrdiff_t to_stride) {
  W a = load(from), b = load(from + from_stride), c = load(from + 2 * from_stride), d = load(from + 3 * from_stride);
  turn4(a, b, c, d);
  store(to, a);
  store(to + to_stride, b);
  store(to + 2 * to_stride, c);
  store(to + 3 * to_stride, d);
}

ANNEAL_INLINE double sqrt(double a) { return __builtin_sqrt(a); }

}  // namespace word
}  // namespace
}  // namespace anneal

#include "vec.h"
