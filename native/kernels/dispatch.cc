// Makes a table for each instruction set and hands them out. Compiled for the baseline: nothing here may need a newer
// processor.
#include "dispatch.h"

#if defined(__x86_64__) || defined(_M_X64)
#define ANNEAL_ISA sse2
#include "isa_table.inc"
#define ANNEAL_ISA avx2
#include "isa_table.inc"
#define ANNEAL_ISA avx512
#include "isa_table.inc"
#elif defined(__wasm__)
#define ANNEAL_ISA wasm
#include "isa_table.inc"
#else
#define ANNEAL_ISA neon
#include "isa_table.inc"
#endif

namespace anneal {

const KernelFn* kernels(Isa isa) {
  switch (isa) {
#if defined(__x86_64__) || defined(_M_X64)
    case Isa::sse2: return kernels_sse2;
    case Isa::avx2: return kernels_avx2;
    case Isa::avx512: return kernels_avx512;
#elif defined(__wasm__)
    case Isa::wasm: return kernels_wasm;
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
