// Products of narrow layers. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "panel_narrow.inc"

#define ANNEAL_FAMILY "narrow.def"
#include "isa_end.inc"
