// Every kernel, compiled for AVX-512. The flags of this file are in native/sources.json.
#include "../../base/vec_avx512.h"

#define ANNEAL_TABLE kernels_avx512
#include "../table.inc"
