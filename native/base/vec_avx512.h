// The native word of AVX-512 (F, DQ): sixteen floats, masks in their own registers. See vec.h.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
// gcc 12 takes the "undefined" operands of its own intrinsics for mistakes (gcc bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "vec_x86.h"

namespace anneal {
namespace {

using W = __m512;
using WM = __mmask16;
constexpr int kWordLanes = 16;
constexpr int kRegisters = 32;

namespace word {

ANNEAL_INLINE WM first(int n) { return static_cast<WM>((1u << n) - 1u); }

ANNEAL_INLINE W load(const float* p) { return _mm512_loadu_ps(p); }
ANNEAL_INLINE void store(float* p, W a) { _mm512_storeu_ps(p, a); }
ANNEAL_INLINE W load_first(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
ANNEAL_INLINE void store_first(float* p, W a, int n) { _mm512_mask_storeu_ps(p, first(n), a); }
ANNEAL_INLINE W set1(float s) { return _mm512_set1_ps(s); }
ANNEAL_INLINE W set1_bits(int32_t s) { return _mm512_castsi512_ps(_mm512_set1_epi32(s)); }

ANNEAL_INLINE W add(W a, W b) { return _mm512_add_ps(a, b); }
ANNEAL_INLINE W sub(W a, W b) { return _mm512_sub_ps(a, b); }
ANNEAL_INLINE W mul(W a, W b) { return _mm512_mul_ps(a, b); }
ANNEAL_INLINE W div(W a, W b) { return _mm512_div_ps(a, b); }
ANNEAL_INLINE W sqrt(W a) { return _mm512_sqrt_ps(a); }
ANNEAL_INLINE W max(W a, W b) { return _mm512_max_ps(a, b); }
ANNEAL_INLINE W min(W a, W b) { return _mm512_min_ps(a, b); }
ANNEAL_INLINE W fma(W a, W b, W c) { return _mm512_fmadd_ps(a, b, c); }
ANNEAL_INLINE W flip_sign(W a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }

ANNEAL_INLINE WM less(W a, W b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
ANNEAL_INLINE WM less_or_equal(W a, W b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
ANNEAL_INLINE WM equal(W a, W b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
ANNEAL_INLINE WM unordered(W a, W b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }
ANNEAL_INLINE W select(WM m, W a, W b) { return _mm512_mask_blend_ps(m, b, a); }

ANNEAL_INLINE W and_bits(W a, W b) { return _mm512_and_ps(a, b); }
ANNEAL_INLINE W add_bits(W a, W b) {
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
template <int kBits>
ANNEAL_INLINE W shift_left_bits(W a) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), kBits));
}
template <int kBits>
ANNEAL_INLINE W shift_right_bits(W a) {
  return _mm512_castsi512_ps(_mm512_srai_epi32(_mm512_castps_si512(a), kBits));
}
ANNEAL_INLINE W float_of_bits(W a) { return _mm512_cvtepi32_ps(_mm512_castps_si512(a)); }
// Sixteen unsigned integers to the lanes' bits.
ANNEAL_INLINE void load_bits(const uint16_t* p, W* w) {
  w[0] = _mm512_castsi512_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}
ANNEAL_INLINE void load_bits(const uint8_t* p, W* w) {
  w[0] = _mm512_castsi512_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
#define ANNEAL_HAS_SCALE
ANNEAL_INLINE W scale(W a, W n) { return _mm512_scalef_ps(a, n); }

ANNEAL_INLINE W load_quarters(const float* p, ptrdiff_t step) {
  const __m512 a = _mm512_insertf32x4(_mm512_castps128_ps512(_mm_loadu_ps(p)), _mm_loadu_ps(p + step), 1);
  return _mm512_insertf32x4(_mm512_insertf32x4(a, _mm_loadu_ps(p + 2 * step), 2), _mm_loadu_ps(p + 3 * step), 3);
}
ANNEAL_INLINE void store_quarters(float* p, ptrdiff_t step, W a) {
  _mm_storeu_ps(p, _mm512_castps512_ps128(a));
  _mm_storeu_ps(p + step, _mm512_extractf32x4_ps(a, 1));
  _mm_storeu_ps(p + 2 * step, _mm512_extractf32x4_ps(a, 2));
  _mm_storeu_ps(p + 3 * step, _mm512_extractf32x4_ps(a, 3));
}
// The first n floats of row[0], row[4], row[8] and row[12], of rows `width` apart.
ANNEAL_INLINE W gather_quarters(const float* p, const int32_t* row, ptrdiff_t width, int n) {
  const __mmask8 lanes = static_cast<__mmask8>(first(n));
  const __m512 a = _mm512_castps128_ps512(_mm_maskz_loadu_ps(lanes, p + row[0] * width));
  const __m512 b = _mm512_insertf32x4(a, _mm_maskz_loadu_ps(lanes, p + row[4] * width), 1);
  const __m512 c = _mm512_insertf32x4(b, _mm_maskz_loadu_ps(lanes, p + row[8] * width), 2);
  return _mm512_insertf32x4(c, _mm_maskz_loadu_ps(lanes, p + row[12] * width), 3);
}
// Quarter q of word r to quarter r of word q; words from kFilled on are zero.
template <int kFilled>
ANNEAL_INLINE void turn_quarters(W (&a)[4]) {
  if constexpr (kFilled <= 2) {
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 0, 0, 0, 0, 0, 0, 0, 0);
    const W x = a[0], y = a[1];
    for (int q = 0; q < 4; ++q)
      a[q] = _mm512_maskz_permutex2var_ps(0xff, x, _mm512_add_epi32(first, _mm512_set1_epi32(4 * q)), y);
    return;
  }
  const W low_ab = _mm512_shuffle_f32x4(a[0], a[1], 0x44), high_ab = _mm512_shuffle_f32x4(a[0], a[1], 0xee);
  const W low_cd = _mm512_shuffle_f32x4(a[2], a[3], 0x44), high_cd = _mm512_shuffle_f32x4(a[2], a[3], 0xee);
  a[0] = _mm512_shuffle_f32x4(low_ab, low_cd, 0x88);
  a[1] = _mm512_shuffle_f32x4(low_ab, low_cd, 0xdd);
  a[2] = _mm512_shuffle_f32x4(high_ab, high_cd, 0x88);
  a[3] = _mm512_shuffle_f32x4(high_ab, high_cd, 0xdd);
}
ANNEAL_INLINE void turn4(W& a, W& b, W& c, W& d) {
  const W low_ab = _mm512_unpacklo_ps(a, b), high_ab = _mm512_unpackhi_ps(a, b);
  const W low_cd = _mm512_unpacklo_ps(c, d), high_cd = _mm512_unpackhi_ps(c, d);
  a = _mm512_shuffle_ps(low_ab, low_cd, 0x44);
  b = _mm512_shuffle_ps(low_ab, low_cd, 0xee);
  c = _mm512_shuffle_ps(high_ab, high_cd, 0x44);
  d = _mm512_shuffle_ps(high_ab, high_cd, 0xee);
}

ANNEAL_INLINE float sum(const W* w) {
  const __m256 high = _mm512_extractf32x8_ps(w[0], 1);
  const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(w[0]), high);
  return sum4(_mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)));
}

}  // namespace word
}  // namespace
}  // namespace anneal

#include "vec.h"
