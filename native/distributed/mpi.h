// MPI as the transport of plans, and for the few bytes that ranks tell each other between runs. Messages between two
// ranks only, and no collective: what comes late is known by its sender, and no result depends on a library's
// algorithms. MPI's calls are made one at a time, on whatever thread. Not here: which library it is (mpi_library.h).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../plan/transport.h"
#include "mpi_library.h"

namespace anneal {

class Mpi : public Transport {
 public:
  // The world of this process, opened at the first call: a process can start MPI once. `timeout`: the seconds after
  // which a rank that is waited for is given up.
  static Status open(const std::vector<std::string>& files, double timeout, std::shared_ptr<Mpi>& world);

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  const std::string& version() const { return version_; }

  int begin(const Parcel* sends, size_t send_count, const Parcel* receives, size_t receive_count) override;
  Status finish(int ticket) override;
  void progress() override;
  int64_t now() const override;

  // The same at once, beside the exchanges of plans.
  Status share(const std::vector<Parcel>& sends, const std::vector<Parcel>& receives);

  // Waits, without a limit, until all ranks have come here, and ends MPI.
  Status finalize();
  // Ends all ranks.
  void abort(int code);

 private:
  // What messages are for: those of different kinds never meet.
  enum Kind { kPlan, kShared, kEnd };

  struct Message {
    MpiHandle request;
    int peer, bytes;
    bool receives, done;
  };
  // All that one `begin` has started.
  struct Ticket {
    bool used = false;
    std::vector<Message> messages;
    Status failure;
  };

  Mpi(const MpiLibrary& mpi, double timeout) : mpi_(mpi), timeout_(timeout) {}

  Status start();
  int post_all(Kind kind, const Parcel* sends, size_t send_count, const Parcel* receives, size_t receive_count);
  Ticket& free_ticket(int& number);
  void post(Kind kind, const Parcel& parcel, bool receives, Ticket& ticket);
  bool test(Ticket& ticket);
  bool test(Message& message, Status& failure);
  Status wait(int number, double seconds);
  Status stalled(const Ticket& ticket) const;
  Status failed(int code, const std::string& what) const;

  const MpiLibrary mpi_;
  const double timeout_;
  int rank_ = 0, size_ = 1;
  std::string version_;
  std::timed_mutex calls_;  // held for a call of MPI's and for what follows
  std::vector<std::unique_ptr<Ticket>> tickets_;
};

}  // namespace anneal
