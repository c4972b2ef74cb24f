// The panel kernels against their row-major equals, bit for bit.
#pragma once

#include <stdint.h>

#include "../kernels/call.h"

namespace anneal::test {

// Adds the number of checks that passed and failed; a failure is printed with its sizes and seed.
void check_panels(const char* isa, const KernelFn* kernels, uint64_t seed, int64_t& passed, int64_t& failed);

}  // namespace anneal::test
