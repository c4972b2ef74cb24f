// Updates of optimizers. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "update.inc"
#include "update_adaptive.inc"
#include "update_first_order.inc"
#include "update_muon.inc"
#include "update_schedule_free.inc"

#define ANNEAL_FAMILY "update.def"
#include "isa_end.inc"
