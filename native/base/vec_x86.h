// What the x86 words share: transposing 4x4 blocks, storing the first lanes of a 128-bit register, the root of a
// double. See vec.h.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#define ANNEAL_INLINE static __forceinline
#define ANNEAL_INLINE_LAMBDA
#define ANNEAL_OUTLINE static __declspec(noinline)
#else
#define ANNEAL_INLINE static inline __attribute__((always_inline, unused))
#define ANNEAL_INLINE_LAMBDA __attribute__((always_inline))
#define ANNEAL_OUTLINE static __attribute__((noinline, unused))
#endif

namespace anneal {
namespace {
namespace word {

// The first n of four lanes, n in [0, 4]. 64 + 32 bits: a masked store is microcode on some processors.
ANNEAL_INLINE void store_first4(float* p, __m128 a, int n) {
  if (n >= 4) return _mm_storeu_ps(p, a);
  if (n & 2) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), a);
    a = _mm_movehl_ps(a, a);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, a);
}

ANNEAL_INLINE __m128 load_first4(const float* p, int n) {
  if (n >= 4) return _mm_loadu_ps(p);
  const __m128 zero = _mm_setzero_ps();
  if (n == 3) return _mm_movelh_ps(_mm_loadl_pi(zero, reinterpret_cast<const __m64*>(p)), _mm_load_ss(p + 2));
  if (n == 2) return _mm_loadl_pi(zero, reinterpret_cast<const __m64*>(p));
  return n == 1 ? _mm_load_ss(p) : zero;
}

// Four lanes to one: (0 + 2) + (1 + 3).
ANNEAL_INLINE float sum4(__m128 a) {
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
}

// to[c * to_stride + r] = from[r * from_stride + c] for r, c < 4.
ANNEAL_INLINE void transpose4(const float* from, ptrdiff_t from_stride, float* to, ptrdiff_t to_stride) {
  __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_stride);
  __m128 c = _mm_loadu_ps(from + 2 * from_stride), d = _mm_loadu_ps(from + 3 * from_stride);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + to_stride, b);
  _mm_storeu_ps(to + 2 * to_stride, c);
  _mm_storeu_ps(to + 3 * to_stride, d);
}

ANNEAL_INLINE double sqrt(double a) { return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(a))); }

}  // namespace word
}  // namespace
}  // namespace anneal
