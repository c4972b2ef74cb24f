// A fixed pool of threads for the whole process, and the cores that a run may use of it. Work is split statically: the
// caller decides what part i of n means, so that no result depends on how many threads there are. Not here: what is
// worth splitting (plan/executor.cc).
#pragma once

namespace anneal {

// Does part `part` of `parts`; called on any thread, must not throw.
using PartFn = void (*)(void* context, int part, int parts);

struct Worker;

// The cores that one run holds while it lives: at most `wanted`, what other runs leave free, never less than the
// caller's own. Threads are started when a team first needs them.
class Team {
 public:
  explicit Team(int wanted);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

  // Runs the parts 0 ... size() - 1, the first on this thread and the others where a thread begins them before it is
  // done, and returns when all are done. Costs about a microsecond.
  void parallel(PartFn body, void* context);

 private:
  [[maybe_unused]] Worker* first_ = nullptr;  // the team's workers, linked
  int size_;
};

// Ends the pool's threads; a later team starts them anew. No team may be alive.
void join_threads();

}  // namespace anneal
