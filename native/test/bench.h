// Speed of the products on one instruction set against the multiply-add peak of the same moment.
#pragma once

#include "../kernels/call.h"

namespace anneal::test {

// Prints one line per shape: GFLOP/s of forward, input gradient and weight gradient, and their share of the peak.
void bench(const char* isa, const KernelFn* kernels);

}  // namespace anneal::test
