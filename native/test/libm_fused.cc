// libm.h where the processor fuses multiply-adds. The target is set here, so that the build systems need to know
// nothing of it.
#define ANNEAL_TABLE libm_fused
#define ANNEAL_FMA 1
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#include "libm_table.inc"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#elif defined(__aarch64__)

#include "libm_table.inc"

#endif
