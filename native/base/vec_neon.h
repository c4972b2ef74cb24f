// The native word of NEON on arm64: four floats. See vec.h.
#pragma once

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define ANNEAL_INLINE static inline __attribute__((always_inline, unused))
#define ANNEAL_INLINE_LAMBDA __attribute__((always_inline))
#define ANNEAL_OUTLINE static __attribute__((noinline, unused))

namespace anneal {
namespace {

using W = float32x4_t;
using WM = uint32x4_t;
constexpr int kWordLanes = 4;
constexpr int kRegisters = 32;

namespace word {

ANNEAL_INLINE int32x4_t bits(W a) { return vreinterpretq_s32_f32(a); }
ANNEAL_INLINE W floats(int32x4_t a) { return vreinterpretq_f32_s32(a); }

ANNEAL_INLINE W load(const float* p) { return vld1q_f32(p); }
ANNEAL_INLINE void store(float* p, W a) { vst1q_f32(p, a); }

ANNEAL_INLINE W load_first(const float* p, int n) {
  if (n >= 4) return load(p);
  const float32x2_t none = vdup_n_f32(0.0f);
  if (n == 3) return vcombine_f32(vld1_f32(p), vld1_lane_f32(p + 2, none, 0));
  if (n == 2) return vcombine_f32(vld1_f32(p), none);
  return n == 1 ? vcombine_f32(vld1_lane_f32(p, none, 0), none) : vdupq_n_f32(0.0f);
}

ANNEAL_INLINE void store_first(float* p, W a, int n) {
  if (n >= 4) return store(p, a);
  if (n & 2) {
    vst1_f32(p, vget_low_f32(a));
    a = vcombine_f32(vget_high_f32(a), vget_high_f32(a));
    p += 2;
  }
  if (n & 1) vst1q_lane_f32(p, a, 0);
}

ANNEAL_INLINE W set1(float s) { return vdupq_n_f32(s); }
ANNEAL_INLINE W set1_bits(int32_t s) { return floats(vdupq_n_s32(s)); }

ANNEAL_INLINE W add(W a, W b) { return vaddq_f32(a, b); }
ANNEAL_INLINE W sub(W a, W b) { return vsubq_f32(a, b); }
ANNEAL_INLINE W mul(W a, W b) { return vmulq_f32(a, b); }
ANNEAL_INLINE W div(W a, W b) { return vdivq_f32(a, b); }
ANNEAL_INLINE W sqrt(W a) { return vsqrtq_f32(a); }
ANNEAL_INLINE W fma(W a, W b, W c) { return vfmaq_f32(c, a, b); }
ANNEAL_INLINE W flip_sign(W a) { return vnegq_f32(a); }

ANNEAL_INLINE WM less(W a, W b) { return vcltq_f32(a, b); }
ANNEAL_INLINE WM less_or_equal(W a, W b) { return vcleq_f32(a, b); }
ANNEAL_INLINE WM equal(W a, W b) { return vceqq_f32(a, b); }
ANNEAL_INLINE WM unordered(W a, W b) { return vmvnq_u32(vandq_u32(vceqq_f32(a, a), vceqq_f32(b, b))); }
ANNEAL_INLINE W select(WM m, W a, W b) { return vbslq_f32(m, a, b); }

// Not vmaxq: it returns the NaN, x86 the second operand.
ANNEAL_INLINE W max(W a, W b) { return select(less(b, a), a, b); }
ANNEAL_INLINE W min(W a, W b) { return select(less(a, b), a, b); }

ANNEAL_INLINE W and_bits(W a, W b) { return floats(vandq_s32(bits(a), bits(b))); }
ANNEAL_INLINE W add_bits(W a, W b) { return floats(vaddq_s32(bits(a), bits(b))); }
template <int kBits>
ANNEAL_INLINE W shift_left_bits(W a) {
  return floats(vshlq_n_s32(bits(a), kBits));
}
template <int kBits>
ANNEAL_INLINE W shift_right_bits(W a) {
  return floats(vshrq_n_s32(bits(a), kBits));
}
ANNEAL_INLINE W float_of_bits(W a) { return vcvtq_f32_s32(bits(a)); }

ANNEAL_INLINE void eight_bits(uint16x8_t eight, W* w) {
  w[0] = vreinterpretq_f32_u32(vmovl_u16(vget_low_u16(eight)));
  w[1] = vreinterpretq_f32_u32(vmovl_u16(vget_high_u16(eight)));
}
// Sixteen unsigned integers to the lanes' bits.
ANNEAL_INLINE void load_bits(const uint16_t* p, W* w) {
  eight_bits(vld1q_u16(p), w);
  eight_bits(vld1q_u16(p + 8), w + 2);
}
ANNEAL_INLINE void load_bits(const uint8_t* p, W* w) {
  const uint8x16_t all = vld1q_u8(p);
  eight_bits(vmovl_u8(vget_low_u8(all)), w);
  eight_bits(vmovl_u8(vget_high_u8(all)), w + 2);
}

ANNEAL_INLINE W load_quarters(const float* p, ptrdiff_t) { return load(p); }
ANNEAL_INLINE void store_quarters(float* p, ptrdiff_t, W a) { store(p, a); }
ANNEAL_INLINE W gather_quarters(const float* p, const int32_t* row, ptrdiff_t width, int n) {
  return load_first(p + row[0] * width, n);
}
template <int>
ANNEAL_INLINE void turn_quarters(W (&)[1]) {}
ANNEAL_INLINE void turn4(W& a, W& b, W& c, W& d) {
  const float32x4x2_t ab = vtrnq_f32(a, b), cd = vtrnq_f32(c, d);
  a = vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0]));
  b = vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1]));
  c = vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0]));
  d = vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1]));
}

// Four lanes to one: (0 + 2) + (1 + 3).
ANNEAL_INLINE float sum(const W* w) {
  const W a = vaddq_f32(vaddq_f32(w[0], w[2]), vaddq_f32(w[1], w[3]));
  const float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
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

ANNEAL_INLINE double sqrt(double a) { return vget_lane_f64(vsqrt_f64(vdup_n_f64(a)), 0); }

}  // namespace word
}  // namespace
}  // namespace anneal

#include "vec.h"
