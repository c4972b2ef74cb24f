// The streams' arithmetic for WebAssembly: no fused multiply-add. The flags of this file are in native/sources.json.
#define ANNEAL_STREAM_MATH stream_math_wasm
#include "stream_math.inc"
