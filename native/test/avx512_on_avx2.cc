// The kernels of AVX-512 over emulated instructions: see avx512_on_avx2.h for what this proves and what not.
// The target is set here, so that the build systems need to know nothing of it.
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#include "avx512_on_avx2.h"

#include "../base/vec_avx512.h"

#define ANNEAL_ISA avx512_on_avx2
#define ANNEAL_OWN_WORDS
#include "../kernels/product.cc"
#include "../kernels/elementwise.cc"
#include "../kernels/loss.cc"
#include "../kernels/shape.cc"
#include "../kernels/classes.cc"
#include "../kernels/norm.cc"
#include "../kernels/update.cc"
#include "../kernels/panel.cc"
#include "../kernels/narrow.cc"
#include "../kernels/layout.cc"

#include "../kernels/isa_table.inc"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
