// Batch norm and layer norm. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "norm.inc"

#define ANNEAL_FAMILY "norm.def"
#include "isa_end.inc"
