// The two operations that standard libraries may get wrong or hide behind a call, on single numbers: a * b + c rounded
// once, by an instruction where the flags of the including file have it and in software elsewhere (mingw-w64's std::fma
// rounds twice for a fifth of its arguments), and the square root. For files of an instruction set: everything is
// static.
#pragma once

#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>
#endif

// Whether there is an instruction; the tests say so themselves.
#if !defined(ANNEAL_FMA)
#if defined(__FMA__) || defined(__aarch64__) || (defined(_MSC_VER) && !defined(__clang__) && defined(__AVX2__))
#define ANNEAL_FMA 1
#else
#define ANNEAL_FMA 0
#endif
#endif

namespace anneal {

// Without the instruction. NaN and infinity as IEEE 754 has them, but for a NaN's payload.
double fma_in_software(double a, double b, double c);
float fma_in_software(float a, float b, float c);

namespace {

#if !ANNEAL_FMA
inline double fma(double a, double b, double c) { return fma_in_software(a, b, c); }
inline float fma(float a, float b, float c) { return fma_in_software(a, b, c); }
#elif defined(_MSC_VER) && !defined(__clang__)
inline double fma(double a, double b, double c) {
  return _mm_cvtsd_f64(_mm_fmadd_sd(_mm_set_sd(a), _mm_set_sd(b), _mm_set_sd(c)));
}
inline float fma(float a, float b, float c) {
  return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
#else
inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#endif

#if defined(__x86_64__) || defined(_M_X64)
inline double square_root(double x) { return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_set_sd(x), _mm_set_sd(x))); }
inline float square_root(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
#elif defined(__aarch64__) || defined(_M_ARM64)
inline double square_root(double x) { return vget_lane_f64(vsqrt_f64(vdup_n_f64(x)), 0); }
inline float square_root(float x) { return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0); }
#else
inline double square_root(double x) { return __builtin_sqrt(x); }
inline float square_root(float x) { return __builtin_sqrtf(x); }
#endif

}  // namespace
}  // namespace anneal
