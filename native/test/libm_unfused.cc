// libm.h with the fused multiply-add in software, on any processor.
#define ANNEAL_TABLE libm_unfused
#define ANNEAL_FMA 0
#include "libm_table.inc"
