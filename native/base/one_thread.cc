// Cores and threads where there is one: WebAssembly. In place of cores.cc and threads.cc.
#include "cores.h"
#include "threads.h"

namespace anneal {

int core_count() { return 1; }

Team::Team(int) : size_(1) {}

Team::~Team() = default;

void Team::parallel(PartFn body, void* context) { body(context, 0, 1); }

void join_threads() {}

}  // namespace anneal
