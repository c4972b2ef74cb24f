// Products on panels. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "panel_product.inc"
#include "panel_weight.inc"

#define ANNEAL_FAMILY "panel.def"
#include "isa_end.inc"
