// The native word of AVX2 with FMA: eight floats. See vec.h.
#pragma once

#include "vec_x86.h"

namespace anneal {
namespace {

using W = __m256;
using WM = __m256;
constexpr int kWordLanes = 8;
constexpr int kRegisters = 16;

namespace word {

ANNEAL_INLINE W load(const float* p) { return _mm256_loadu_ps(p); }
ANNEAL_INLINE void store(float* p, W a) { _mm256_storeu_ps(p, a); }

ANNEAL_INLINE W load_first(const float* p, int n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
}

ANNEAL_INLINE void store_first(float* p, W a, int n) {
  if (n >= 8) return store(p, a);
  const __m128 low = _mm256_castps256_ps128(a);
  if (n < 4) return store_first4(p, low, n);
  _mm_storeu_ps(p, low);
  store_first4(p + 4, _mm256_extractf128_ps(a, 1), n - 4);
}

ANNEAL_INLINE W set1(float s) { return _mm256_set1_ps(s); }
ANNEAL_INLINE W set1_bits(int32_t s) { return _mm256_castsi256_ps(_mm256_set1_epi32(s)); }

ANNEAL_INLINE W add(W a, W b) { return _mm256_add_ps(a, b); }
ANNEAL_INLINE W sub(W a, W b) { return _mm256_sub_ps(a, b); }
ANNEAL_INLINE W mul(W a, W b) { return _mm256_mul_ps(a, b); }
ANNEAL_INLINE W div(W a, W b) { return _mm256_div_ps(a, b); }
ANNEAL_INLINE W sqrt(W a) { return _mm256_sqrt_ps(a); }
ANNEAL_INLINE W max(W a, W b) { return _mm256_max_ps(a, b); }
ANNEAL_INLINE W min(W a, W b) { return _mm256_min_ps(a, b); }
ANNEAL_INLINE W fma(W a, W b, W c) { return _mm256_fmadd_ps(a, b, c); }
ANNEAL_INLINE W flip_sign(W a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }

ANNEAL_INLINE WM less(W a, W b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
ANNEAL_INLINE WM less_or_equal(W a, W b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
ANNEAL_INLINE WM equal(W a, W b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
ANNEAL_INLINE WM unordered(W a, W b) { return _mm256_cmp_ps(a, b, _CMP_UNORD_Q); }
ANNEAL_INLINE W select(WM m, W a, W b) { return _mm256_blendv_ps(b, a, m); }

ANNEAL_INLINE W and_bits(W a, W b) { return _mm256_and_ps(a, b); }
ANNEAL_INLINE W add_bits(W a, W b) {
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
template <int kBits>
ANNEAL_INLINE W shift_left_bits(W a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), kBits));
}
template <int kBits>
ANNEAL_INLINE W shift_right_bits(W a) {
  return _mm256_castsi256_ps(_mm256_srai_epi32(_mm256_castps_si256(a), kBits));
}
ANNEAL_INLINE W float_of_bits(W a) { return _mm256_cvtepi32_ps(_mm256_castps_si256(a)); }

// Sixteen unsigned integers to the lanes' bits.
ANNEAL_INLINE void load_bits(const uint16_t* p, W* w) {
  w[0] = _mm256_castsi256_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  w[1] = _mm256_castsi256_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8))));
}
ANNEAL_INLINE void load_bits(const uint8_t* p, W* w) {
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  w[0] = _mm256_castsi256_ps(_mm256_cvtepu8_epi32(all));
  w[1] = _mm256_castsi256_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(all, 8)));
}

ANNEAL_INLINE W load_quarters(const float* p, ptrdiff_t step) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + step), 1);
}
ANNEAL_INLINE void store_quarters(float* p, ptrdiff_t step, W a) {
  _mm_storeu_ps(p, _mm256_castps256_ps128(a));
  _mm_storeu_ps(p + step, _mm256_extractf128_ps(a, 1));
}
// The first n floats of row[0] and row[4], of rows `width` apart.
ANNEAL_INLINE W gather_quarters(const float* p, const int32_t* row, ptrdiff_t width, int n) {
  const __m128i lanes = _mm_cmpgt_epi32(_mm_set1_epi32(n), _mm_setr_epi32(0, 1, 2, 3));
  const __m256 a = _mm256_castps128_ps256(_mm_maskload_ps(p + row[0] * width, lanes));
  return _mm256_insertf128_ps(a, _mm_maskload_ps(p + row[4] * width, lanes), 1);
}
// Quarter q of word r to quarter r of word q.
template <int>
ANNEAL_INLINE void turn_quarters(W (&a)[2]) {
  const W low = _mm256_permute2f128_ps(a[0], a[1], 0x20);
  a[1] = _mm256_permute2f128_ps(a[0], a[1], 0x31);
  a[0] = low;
}
ANNEAL_INLINE void turn4(W& a, W& b, W& c, W& d) {
  const W low_ab = _mm256_unpacklo_ps(a, b), high_ab = _mm256_unpackhi_ps(a, b);
  const W low_cd = _mm256_unpacklo_ps(c, d), high_cd = _mm256_unpackhi_ps(c, d);
  a = _mm256_shuffle_ps(low_ab, low_cd, 0x44);
  b = _mm256_shuffle_ps(low_ab, low_cd, 0xee);
  c = _mm256_shuffle_ps(high_ab, high_cd, 0x44);
  d = _mm256_shuffle_ps(high_ab, high_cd, 0xee);
}

ANNEAL_INLINE float sum(const W* w) {
  const W a = _mm256_add_ps(w[0], w[1]);
  return sum4(_mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)));
}

}  // namespace word
}  // namespace
}  // namespace anneal

#include "vec.h"
