// Softmax, losses by class and what is counted by class. Compiled once for each instruction set (native/sources.json).
#include "isa_begin.inc"

#include "by_class.inc"
#include "cross_entropy.inc"
#include "softmax.inc"

#define ANNEAL_FAMILY "classes.def"
#include "isa_end.inc"
