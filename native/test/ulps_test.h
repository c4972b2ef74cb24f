// The error bounds that native/base/vec_math.h states, in units in the last place.
#pragma once

#include <stdint.h>

namespace anneal::test {

// Compares every `stride`-th float of each function's domain, and its special values, with libm in double.
void check_ulps(int64_t stride, int64_t& passed, int64_t& failed);

}  // namespace anneal::test
