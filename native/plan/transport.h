// How the processes that run one plan together, its ranks, send each other parts of their arenas: what an exchange
// (exchange.h) asks of a transport. Not here: a library that does it (distributed/mpi.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "../base/status.h"

namespace anneal {

// Memory that goes to or comes from another rank in one piece.
struct Parcel {
  int peer;
  void* data;
  int64_t bytes;
};

// What communicating has cost so far. Counted by the thread that runs a plan, read by any.
struct Traffic {
  std::atomic<int64_t> bytes_sent{0}, waiting_ns{0}, copying_ns{0};
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Starts to send and to receive, from and into memory that stays as it is until `finish`. Between two ranks parcels
  // arrive in the order in which they were sent. Returns a ticket.
  virtual int begin(const Parcel* sends, size_t send_count, const Parcel* receives, size_t receive_count) = 0;

  // Waits until all of that is done. After a refusal, which names the ranks that did not answer, the memory may still
  // be read and written, and no further exchange is possible.
  virtual Status finish(int ticket) = 0;

  // Lets what is under way come on while this thread computes.
  virtual void progress() = 0;

  // Nanoseconds on a clock that only goes on.
  virtual int64_t now() const = 0;

  Traffic traffic;
};

}  // namespace anneal
