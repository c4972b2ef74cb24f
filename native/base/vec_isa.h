// The words of the instruction set that ANNEAL_ISA names: vec_<isa>.h.
#pragma once

#define ANNEAL_QUOTED(name) #name
#define ANNEAL_WORDS_NAMED(isa) ANNEAL_QUOTED(vec_##isa.h)
#define ANNEAL_WORDS_OF(isa) ANNEAL_WORDS_NAMED(isa)
#include ANNEAL_WORDS_OF(ANNEAL_ISA)
