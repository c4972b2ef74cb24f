// vec_math.h where a multiply-add rounds twice: over the words of SSE2.
#define ANNEAL_TABLE vec_math_unfused
#if defined(__x86_64__)

#include "../base/vec_sse2.h"

#include "vec_math_table.inc"

#endif
