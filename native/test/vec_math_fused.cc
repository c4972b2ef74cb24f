// vec_math.h where multiply-adds are fused: over the words of AVX2 or NEON. The target is set here, so that the build
// systems need to know nothing of it.
#define ANNEAL_TABLE vec_math_fused
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#include "../base/vec_avx2.h"

#include "vec_math_table.inc"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#elif defined(__aarch64__)

#include "../base/vec_neon.h"

#include "vec_math_table.inc"

#endif
