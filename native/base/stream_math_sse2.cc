// The streams' arithmetic for SSE2: no fused multiply-add. The flags of this file are in native/sources.json.
#define ANNEAL_STREAM_MATH stream_math_sse2
#include "stream_math.inc"
