// Losses per element. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "loss.inc"

#define ANNEAL_FAMILY "loss.def"
#include "isa_end.inc"
