// Functions of each element by itself. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "activation.inc"
#include "elementwise.inc"

#define ANNEAL_FAMILY "elementwise.def"
#include "isa_end.inc"
