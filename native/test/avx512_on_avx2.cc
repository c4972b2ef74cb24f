// The bodies of isa/avx512.cc over emulated instructions: see avx512_on_avx2.h for what this proves and what not.
// The target is set here, so that the build systems need to know nothing of it.
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#include "avx512_on_avx2.h"

#include "../base/vec_avx512.h"

#define ANNEAL_TABLE kernels_avx512_on_avx2
#include "../kernels/table.inc"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
