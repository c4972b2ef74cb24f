// The AVX-512 intrinsics that base/vec_avx512.h uses, carried out by AVX2, for machines without AVX-512. This checks
// our code for that instruction set - panel widths, tile heights, tails, masks, the order of sums - and not the
// instructions: on a machine that has them, kernels_test runs the real ones beside this. Test only; include before
// vec_avx512.h.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include <cmath>

namespace anneal {
namespace {
namespace emulated {

struct Floats {
  __m256 low, high;
};
struct Ints {
  __m256i low, high;
};

#define ANNEAL_EMULATE(name, wide)                                                 \
  inline Floats name(Floats a, Floats b) {                                         \
    return {_mm256_##wide##_ps(a.low, b.low), _mm256_##wide##_ps(a.high, b.high)}; \
  }
ANNEAL_EMULATE(add, add)
ANNEAL_EMULATE(sub, sub)
ANNEAL_EMULATE(mul, mul)
ANNEAL_EMULATE(div, div)
ANNEAL_EMULATE(max, max)
ANNEAL_EMULATE(min, min)
ANNEAL_EMULATE(bit_and, and)
ANNEAL_EMULATE(bit_xor, xor)
ANNEAL_EMULATE(unpack_low, unpacklo)
ANNEAL_EMULATE(unpack_high, unpackhi)
#undef ANNEAL_EMULATE

inline Floats load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }

inline void store(float* p, Floats a) {
  _mm256_storeu_ps(p, a.low);
  _mm256_storeu_ps(p + 8, a.high);
}

// Lane by lane: a masked lane's memory is not touched.
inline Floats masked_load(__mmask16 mask, const float* p) {
  float lanes[16];
  for (int i = 0; i < 16; ++i) lanes[i] = mask >> i & 1 ? p[i] : 0.0f;
  return load(lanes);
}

inline void masked_store(float* p, __mmask16 mask, Floats a) {
  float lanes[16];
  store(lanes, a);
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) p[i] = lanes[i];
  }
}

inline Floats set1(float s) { return {_mm256_set1_ps(s), _mm256_set1_ps(s)}; }
inline Ints widen_words(__m256i a) {
  return {_mm256_cvtepu16_epi32(_mm256_castsi256_si128(a)), _mm256_cvtepu16_epi32(_mm256_extracti128_si256(a, 1))};
}
inline Ints widen_bytes(__m128i a) { return {_mm256_cvtepu8_epi32(a), _mm256_cvtepu8_epi32(_mm_srli_si128(a, 8))}; }
inline Ints set1_epi32(int32_t s) { return {_mm256_set1_epi32(s), _mm256_set1_epi32(s)}; }
inline Floats sqrt(Floats a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }

inline Floats fma(Floats a, Floats b, Floats c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

template <int kRelation>
__mmask16 compare(Floats a, Floats b) {
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, kRelation));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, kRelation));
  return static_cast<__mmask16>(low | high << 8);
}

// b where the mask is set.
inline Floats blend(__mmask16 mask, Floats a, Floats b) {
  float from[16], to[16];
  store(to, a);
  store(from, b);
  for (int i = 0; i < 16; ++i) to[i] = mask >> i & 1 ? from[i] : to[i];
  return load(to);
}

template <int kLanes>
Floats shuffle(Floats a, Floats b) {
  return {_mm256_shuffle_ps(a.low, b.low, kLanes), _mm256_shuffle_ps(a.high, b.high, kLanes)};
}

template <int kQuarter>
__m128 quarter(Floats a) {
  return _mm256_extractf128_ps(kQuarter < 2 ? a.low : a.high, kQuarter % 2);
}

template <int kQuarter>
Floats with_quarter(Floats a, __m128 b) {
  __m256& half = kQuarter < 2 ? a.low : a.high;
  half = _mm256_insertf128_ps(half, b, kQuarter % 2);
  return a;
}

// a times 2 to the power of b, rounded once.
inline Floats scale(Floats a, Floats b) {
  float number[16], power[16];
  store(number, a);
  store(power, b);
  for (int i = 0; i < 16; ++i) number[i] = std::ldexp(number[i], static_cast<int>(power[i]));
  return load(number);
}

inline Floats floats(Ints a) { return {_mm256_castsi256_ps(a.low), _mm256_castsi256_ps(a.high)}; }
inline Ints ints(Floats a) { return {_mm256_castps_si256(a.low), _mm256_castps_si256(a.high)}; }
inline Ints add_ints(Ints a, Ints b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
inline Ints shift_left(Ints a, int n) { return {_mm256_slli_epi32(a.low, n), _mm256_slli_epi32(a.high, n)}; }
inline Ints shift_right(Ints a, int n) { return {_mm256_srai_epi32(a.low, n), _mm256_srai_epi32(a.high, n)}; }
inline Floats convert(Ints a) { return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)}; }

}  // namespace emulated
}  // namespace
}  // namespace anneal

// Macros of their own in clang's header.
#undef _mm512_cmp_ps_mask
#undef _mm512_extractf32x8_ps
#undef _mm512_extractf32x4_ps
#undef _mm512_insertf32x4
#undef _mm512_shuffle_ps
#undef _mm512_scalef_ps

#define __m512 ::anneal::emulated::Floats
#define _mm512_loadu_ps ::anneal::emulated::load
#define _mm512_storeu_ps ::anneal::emulated::store
#define _mm512_maskz_loadu_ps ::anneal::emulated::masked_load
#define _mm512_mask_storeu_ps ::anneal::emulated::masked_store
#define _mm512_set1_ps ::anneal::emulated::set1
#define _mm512_set1_epi32 ::anneal::emulated::set1_epi32
#define _mm512_add_ps ::anneal::emulated::add
#define _mm512_sub_ps ::anneal::emulated::sub
#define _mm512_mul_ps ::anneal::emulated::mul
#define _mm512_div_ps ::anneal::emulated::div
#define _mm512_sqrt_ps ::anneal::emulated::sqrt
#define _mm512_max_ps ::anneal::emulated::max
#define _mm512_min_ps ::anneal::emulated::min
#define _mm512_fmadd_ps ::anneal::emulated::fma
#define _mm512_and_ps ::anneal::emulated::bit_and
#define _mm512_xor_ps ::anneal::emulated::bit_xor
#define _mm512_cmp_ps_mask(a, b, relation) ::anneal::emulated::compare<relation>(a, b)
#define _mm512_mask_blend_ps ::anneal::emulated::blend
#define _mm512_castsi512_ps ::anneal::emulated::floats
#define _mm512_castps_si512 ::anneal::emulated::ints
#define _mm512_add_epi32 ::anneal::emulated::add_ints
#define _mm512_slli_epi32 ::anneal::emulated::shift_left
#define _mm512_srai_epi32 ::anneal::emulated::shift_right
#define _mm512_cvtepu16_epi32 ::anneal::emulated::widen_words
#define _mm512_cvtepu8_epi32 ::anneal::emulated::widen_bytes
#define _mm512_cvtepi32_ps ::anneal::emulated::convert
#define _mm512_castps512_ps256(a) ((a).low)
#define _mm512_extractf32x8_ps(a, half) ((half) ? (a).high : (a).low)
#define _mm512_unpacklo_ps ::anneal::emulated::unpack_low
#define _mm512_unpackhi_ps ::anneal::emulated::unpack_high
#define _mm512_scalef_ps ::anneal::emulated::scale
#define _mm512_shuffle_ps(a, b, lanes) ::anneal::emulated::shuffle<lanes>(a, b)
#define _mm512_castps128_ps512(a) (::anneal::emulated::Floats{_mm256_castps128_ps256(a), _mm256_setzero_ps()})
#define _mm512_castps512_ps128(a) _mm256_castps256_ps128((a).low)
#define _mm512_extractf32x4_ps(a, q) ::anneal::emulated::quarter<q>(a)
#define _mm512_insertf32x4(a, b, q) ::anneal::emulated::with_quarter<q>(a, b)
