// Conversions between layouts, and batches from a resident set. Compiled once for each instruction set
// (native/sources.json).
#include "isa_begin.inc"

#include "panel_lanes.inc"
#include "panel_layout.inc"

#define ANNEAL_FAMILY "layout.def"
#include "isa_end.inc"
