// The streams' arithmetic for NEON. The flags of this file are in native/sources.json.
#define ANNEAL_STREAM_MATH stream_math_neon
#include "stream_math.inc"
