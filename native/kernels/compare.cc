// Comparisons, choices by them, and extremes. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "compare.inc"
#include "extreme.inc"

#define ANNEAL_FAMILY "compare.def"
#include "isa_end.inc"
