// Hands out the tables that the ISA units define. Compiled for the baseline: nothing here may need a newer processor.
#include "dispatch.h"

namespace anneal {

#if defined(__x86_64__) || defined(_M_X64)
extern const KernelFn kernels_sse2[];
extern const KernelFn kernels_avx2[];
extern const KernelFn kernels_avx512[];
#else
extern const KernelFn kernels_neon[];
#endif

const KernelFn* kernels(Isa isa) {
  switch (isa) {
#if defined(__x86_64__) || defined(_M_X64)
    case Isa::sse2: return kernels_sse2;
    case Isa::avx2: return kernels_avx2;
    case Isa::avx512: return kernels_avx512;
#else
    case Isa::neon: return kernels_neon;
#endif
    default: return nullptr;
  }
}

const KernelFn* active_kernels() {
  static const KernelFn* const chosen = kernels(chosen_isa());
  return chosen;
}

}  // namespace anneal
