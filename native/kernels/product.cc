// Products of matrices. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "product.inc"

#define ANNEAL_FAMILY "product.def"
#include "isa_end.inc"
