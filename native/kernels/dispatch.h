// The kernel tables, one per instruction set, each in the order of kernels.def; chosen once per process.
// Not here: what a kernel's arguments mean (signature.h).
#pragma once

#include "../base/cpu.h"
#include "call.h"

namespace anneal {

// The table compiled for an instruction set; null where this build has none. Callable only if isa_supported(isa).
const KernelFn* kernels(Isa isa);

// The table of chosen_isa().
const KernelFn* active_kernels();

// The float64 twins behind the same call form, results rounded once (kernels/reference).
const KernelFn* reference_kernels();

}  // namespace anneal
