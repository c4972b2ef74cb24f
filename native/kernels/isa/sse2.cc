// Every kernel, compiled for SSE2. The flags of this file are in native/sources.json.
#include "../../base/vec_sse2.h"

#define ANNEAL_TABLE kernels_sse2
#include "../table.inc"
