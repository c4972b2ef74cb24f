// Places along an axis. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "axis.inc"

#define ANNEAL_FAMILY "axis.def"
#include "isa_end.inc"
