// See cores.h. Two hardware threads of one core share its multipliers: a second one gains nothing here.
#include "cores.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace anneal {
namespace {

#if defined(__linux__)

// The hardware threads of the core that `cpu` belongs to, as the system writes them; its own number where it does not
// say.
std::string core_of(int cpu) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
  std::string siblings;
  return file >> siblings ? siblings : std::to_string(cpu);
}

int allowed_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return static_cast<int>(std::thread::hardware_concurrency());
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cores.insert(core_of(cpu));
  }
  return static_cast<int>(cores.size());
}

// Processors' worth of time per period that a control group grants; unlimited where none says otherwise. A container
// sees its own group at the root: version 2 has both numbers in one file, version 1 in two.
double granted_processors() {
  double quota = 0, period = 0;
  std::ifstream both("/sys/fs/cgroup/cpu.max");
  if (both >> quota >> period && period > 0) return quota / period;
  std::ifstream first("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), second("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (first >> quota && second >> period && quota > 0 && period > 0) return quota / period;
  return HUGE_VAL;
}

int count_cores() {
  const double granted = std::max(1.0, std::floor(granted_processors()));
  return static_cast<int>(std::min<double>(std::max(1, allowed_cores()), granted));
}

#else

int count_cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

#endif

}  // namespace

int core_count() {
  static const int cores = count_cores();
  return cores;
}

}  // namespace anneal
