// Every kernel, compiled for NEON (arm64). The flags of this file are in native/sources.json.
#include "../../base/vec_neon.h"

#define ANNEAL_TABLE kernels_neon
#include "../table.inc"
