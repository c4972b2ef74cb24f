// Every kernel, compiled for AVX2 with FMA. The flags of this file are in native/sources.json.
#include "../../base/vec_avx2.h"

#define ANNEAL_TABLE kernels_avx2
#include "../table.inc"
