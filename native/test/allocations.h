// Counts what the whole program allocates with operator new, by replacing it.
#pragma once

#include <stdint.h>

namespace anneal::test {

int64_t allocation_count();

}  // namespace anneal::test
