// Shapes, sums along an axis and rows of a table. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "embedding.inc"
#include "shape.inc"

#define ANNEAL_FAMILY "shape.def"
#include "isa_end.inc"
