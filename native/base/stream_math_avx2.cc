// The streams' arithmetic for AVX2 with FMA, which AVX-512 takes too. The flags of this file are in
// native/sources.json.
#define ANNEAL_STREAM_MATH stream_math_avx2
#include "stream_math.inc"
