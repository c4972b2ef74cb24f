// The call form of the float64 twins: a kernel's inputs as they are, its outputs as Real.
// Not here: the twins (the .inc files) and their table (reference.cc).
#pragma once

#include "../call.h"
#include "real.h"

namespace anneal {

// outputs[i] belongs to buffer i: as many elements as its extent, null for inputs and absent optionals.
using TwinFn = void (*)(const Call& call, Real* const* outputs);

// In the order of kernels.def. Outputs never alias inputs here.
const TwinFn* twins();

}  // namespace anneal
