// The native word of SSE2: four floats, no fused multiply-add. See vec.h.
#pragma once

#include "vec_x86.h"

namespace anneal {
namespace {

using W = __m128;
using WM = __m128;
constexpr int kWordLanes = 4;
constexpr int kRegisters = 16;

namespace word {

ANNEAL_INLINE W load(const float* p) { return _mm_loadu_ps(p); }
ANNEAL_INLINE void store(float* p, W a) { _mm_storeu_ps(p, a); }
ANNEAL_INLINE W load_first(const float* p, int n) { return load_first4(p, n); }
ANNEAL_INLINE void store_first(float* p, W a, int n) { store_first4(p, a, n); }
ANNEAL_INLINE W set1(float s) { return _mm_set1_ps(s); }
ANNEAL_INLINE W set1_bits(int32_t s) { return _mm_castsi128_ps(_mm_set1_epi32(s)); }

ANNEAL_INLINE W add(W a, W b) { return _mm_add_ps(a, b); }
ANNEAL_INLINE W sub(W a, W b) { return _mm_sub_ps(a, b); }
ANNEAL_INLINE W mul(W a, W b) { return _mm_mul_ps(a, b); }
ANNEAL_INLINE W div(W a, W b) { return _mm_div_ps(a, b); }
ANNEAL_INLINE W sqrt(W a) { return _mm_sqrt_ps(a); }
ANNEAL_INLINE W max(W a, W b) { return _mm_max_ps(a, b); }
ANNEAL_INLINE W min(W a, W b) { return _mm_min_ps(a, b); }
ANNEAL_INLINE W fma(W a, W b, W c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
ANNEAL_INLINE W flip_sign(W a) { return _mm_xor_ps(a, _mm_set1_ps(-0.0f)); }

ANNEAL_INLINE WM less(W a, W b) { return _mm_cmplt_ps(a, b); }
ANNEAL_INLINE WM less_or_equal(W a, W b) { return _mm_cmple_ps(a, b); }
ANNEAL_INLINE WM equal(W a, W b) { return _mm_cmpeq_ps(a, b); }
ANNEAL_INLINE WM unordered(W a, W b) { return _mm_cmpunord_ps(a, b); }
ANNEAL_INLINE W select(WM m, W a, W b) { return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b)); }

ANNEAL_INLINE W and_bits(W a, W b) { return _mm_and_ps(a, b); }
ANNEAL_INLINE W add_bits(W a, W b) { return _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a), _mm_castps_si128(b))); }
template <int kBits>
ANNEAL_INLINE W shift_left_bits(W a) {
  return _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(a), kBits));
}
template <int kBits>
ANNEAL_INLINE W shift_right_bits(W a) {
  return _mm_castsi128_ps(_mm_srai_epi32(_mm_castps_si128(a), kBits));
}
ANNEAL_INLINE W float_of_bits(W a) { return _mm_cvtepi32_ps(_mm_castps_si128(a)); }

// Sixteen unsigned integers to the lanes' bits.
ANNEAL_INLINE void load_bits(const uint16_t* p, W* w) {
  const __m128i zero = _mm_setzero_si128();
  for (int i = 0; i < 2; ++i) {
    const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8 * i));
    w[2 * i] = _mm_castsi128_ps(_mm_unpacklo_epi16(eight, zero));
    w[2 * i + 1] = _mm_castsi128_ps(_mm_unpackhi_epi16(eight, zero));
  }
}
ANNEAL_INLINE void load_bits(const uint8_t* p, W* w) {
  const __m128i zero = _mm_setzero_si128(), all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i low = _mm_unpacklo_epi8(all, zero), high = _mm_unpackhi_epi8(all, zero);
  w[0] = _mm_castsi128_ps(_mm_unpacklo_epi16(low, zero));
  w[1] = _mm_castsi128_ps(_mm_unpackhi_epi16(low, zero));
  w[2] = _mm_castsi128_ps(_mm_unpacklo_epi16(high, zero));
  w[3] = _mm_castsi128_ps(_mm_unpackhi_epi16(high, zero));
}

ANNEAL_INLINE W load_quarters(const float* p, ptrdiff_t) { return load(p); }
ANNEAL_INLINE void store_quarters(float* p, ptrdiff_t, W a) { store(p, a); }
ANNEAL_INLINE W gather_quarters(const float* p, const int32_t* row, ptrdiff_t width, int n) {
  return load_first(p + row[0] * width, n);
}
template <int>
ANNEAL_INLINE void turn_quarters(W (&)[1]) {}
ANNEAL_INLINE void turn4(W& a, W& b, W& c, W& d) { _MM_TRANSPOSE4_PS(a, b, c, d); }

ANNEAL_INLINE float sum(const W* w) { return sum4(_mm_add_ps(_mm_add_ps(w[0], w[2]), _mm_add_ps(w[1], w[3]))); }

}  // namespace word
}  // namespace
}  // namespace anneal

#include "vec.h"
