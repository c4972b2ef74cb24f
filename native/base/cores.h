// How many cores this process may keep busy. Not here: who gets them (threads.h).
#pragma once

namespace anneal {

// Physical cores within the process's affinity and, in a container, its quota of processor time; at least 1. Decided
// once.
int core_count();

}  // namespace anneal
