// Each worker has its own mailbox: a ticket that the team's owner raises. It spins for a while, because the next
// product of a step follows within microseconds, then offers its core to others, and sleeps in the end. See threads.h.
#include "threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

#include "cores.h"

namespace anneal {
namespace {

// The first bridges the small calls between two products, the second the larger ones (about a millisecond).
constexpr int kSpinsBeforeYield = 1000;
constexpr int kSpinsBeforeSleep = 3000;

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  __asm__ __volatile__("yield");
#endif
}

// The wait number `spins` of a loop. With more threads than cores the one that is waited for may need this very core.
void wait_a_little(int spins) {
  if (spins < kSpinsBeforeYield) pause();
  else std::this_thread::yield();
}

}  // namespace

// One thread. `ticket` counts its jobs, whose fields are written before it is raised; `claimed` the last job that
// somebody has begun: the thread itself, or the poster when the thread was too late. A job that is not claimed keeps
// its fields.
struct alignas(64) Worker {
  std::atomic<unsigned> ticket{0};
  std::atomic<bool> sleeping{false};
  PartFn body = nullptr;  // null: end
  void* context = nullptr;
  int part = 0, parts = 0;
  alignas(64) std::atomic<unsigned> claimed{0};
  std::atomic<unsigned> finished{0};
  Worker* next = nullptr;  // of the same team
  std::mutex mutex;
  std::condition_variable wake;
  std::thread thread;

  void post(PartFn new_body, void* new_context, int new_part, int new_parts) {
    body = new_body;
    context = new_context;
    part = new_part;
    parts = new_parts;
    ticket.fetch_add(1);  // sequentially consistent, as are both sides of `sleeping`: one of the two sees the other
    if (!sleeping.load()) return;
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_one();
  }

  bool claim(unsigned job) {
    unsigned before = job - 1;
    return claimed.compare_exchange_strong(before, job);
  }

  // Does the posted job here unless the thread has begun it: on a busy machine it may not get a core for milliseconds.
  void finish_job() {
    const unsigned job = ticket.load(std::memory_order_relaxed);
    if (claim(job)) {
      body(context, part, parts);
      return;
    }
    for (int spins = 0; finished.load(std::memory_order_acquire) != job; spins += spins < kSpinsBeforeYield) {
      wait_a_little(spins);
    }
  }

  // The newest ticket, once it is not `seen`.
  unsigned await_ticket(unsigned seen) {
    for (int spins = 0; spins < kSpinsBeforeSleep; ++spins) {
      const unsigned now = ticket.load(std::memory_order_acquire);
      if (now != seen) return now;
      wait_a_little(spins);
    }
    std::unique_lock<std::mutex> lock(mutex);
    sleeping.store(true);
    wake.wait(lock, [&] { return ticket.load() != seen; });
    sleeping.store(false);
    return ticket.load();
  }

  void serve() {
    for (unsigned job = 0;;) {
      job = await_ticket(job);
      if (!claim(job)) continue;
      if (!body) return;
      body(context, part, parts);
      finished.store(job, std::memory_order_release);
    }
  }
};

namespace {

// All workers of the process and how many cores the teams hold. Locked when a team comes or goes, never in a step.
class Pool {
 public:
  ~Pool() { join(); }

  // Takes up to `wanted` cores; the workers for all but the first are linked through `first`.
  int take(int wanted, Worker*& first) {
    std::lock_guard<std::mutex> lock(mutex_);
    const int workers = std::max(0, std::min(wanted, core_count() - cores_held_) - 1);
    int size = 1;
    for (; size <= workers; ++size) {
      Worker* worker = idle_worker();
      if (!worker) break;
      worker->next = first;
      first = worker;
    }
    cores_held_ += size;
    return size;
  }

  void give_back(int size, Worker* first) {
    std::lock_guard<std::mutex> lock(mutex_);
    cores_held_ -= size;
    for (; first; first = first->next) idle_.push_back(first);
  }

  void join() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& worker : workers_) worker->post(nullptr, nullptr, 0, 0);
    for (auto& worker : workers_) worker->thread.join();
    workers_.clear();
    idle_.clear();
  }

 private:
  // Null when the system refuses another thread.
  Worker* idle_worker() {
    if (idle_.empty() && !start_worker()) return nullptr;
    Worker* worker = idle_.back();
    idle_.pop_back();
    return worker;
  }

  bool start_worker() {
    try {
      auto worker = std::make_unique<Worker>();
      workers_.reserve(workers_.size() + 1);
      idle_.reserve(workers_.size() + 1);  // so that giving back never allocates
      worker->thread = std::thread(&Worker::serve, worker.get());
      idle_.push_back(worker.get());
      workers_.push_back(std::move(worker));
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  int cores_held_ = 0;
};

// Ended at exit by its destructor where no environment's hook did.
Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace

Team::Team(int wanted) : size_(pool().take(wanted, first_)) {}

Team::~Team() { pool().give_back(size_, first_); }

void Team::parallel(PartFn body, void* context) {
  int part = 1;
  for (Worker* worker = first_; worker; worker = worker->next) worker->post(body, context, part++, size_);
  body(context, 0, size_);
  for (Worker* worker = first_; worker; worker = worker->next) worker->finish_job();
}

void join_threads() { pool().join(); }

}  // namespace anneal
