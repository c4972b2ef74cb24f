// See mpi.h.
#if !defined(_WIN32) && !defined(__wasm__)
#include "mpi.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <set>
#include <thread>

namespace anneal {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 30;  // of a message: MPI's counts are ints

// A pause between two looks: none at first, then whoever else has work on this processor goes first, and what takes
// longer than a step is slept over.
void pause(double waited) {
  if (waited < 20e-6) return;
  if (waited < 2e-3) sched_yield();
  else std::this_thread::sleep_for(std::chrono::microseconds(waited < 1 ? 30 : 500));
}

// "rank 2" or "ranks 2 and 3".
std::string ranks_text(const std::set<int>& ranks) {
  std::string text = ranks.size() > 1 ? "ranks " : "rank ";
  size_t i = 0;
  for (const int rank : ranks) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    text += std::to_string(rank);
    ++i;
  }
  return text;
}

std::string seconds_text(double seconds) {
  char text[32];
  snprintf(text, sizeof text, "%g", seconds);
  return text;
}

}  // namespace

Status Mpi::open(const std::vector<std::string>& files, double timeout, std::shared_ptr<Mpi>& world) {
  static std::mutex mutex;
  static std::shared_ptr<Mpi> opened;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!opened) {
    MpiLibrary library;
    Status status = open_mpi_library(files, library);
    if (!status.ok()) return {status.refusal, "ERR_MISSING_PACKAGE"};
    std::shared_ptr<Mpi> next(new Mpi(library, timeout));
    status = next->start();
    if (!status.ok()) return status;
    opened = next;
  }
  world = opened;
  return {};
}

Status Mpi::start() {
  int running = 0, given = 0, code = mpi_.Initialized(&running);
  if (code == 0 && running) return {"MPI is in use by another part of this process", "ERR_STATE"};
  if (code == 0) code = mpi_.Init_thread(nullptr, nullptr, mpi_.thread_serialized, &given);
  if (code != 0) return failed(code, "MPI_Init_thread");
  if (given < mpi_.thread_serialized) return {"this MPI library allows no calls from other threads", "ERR_STATE"};
  code = mpi_.Comm_set_errhandler(mpi_.world, mpi_.errors_return);
  if (code == 0) code = mpi_.Comm_rank(mpi_.world, &rank_);
  if (code == 0) code = mpi_.Comm_size(mpi_.world, &size_);
  std::vector<char> text(MpiLibrary::kVersionLength + 1);
  int length = 0;
  if (code == 0) code = mpi_.Get_library_version(text.data(), &length);
  if (code != 0) return failed(code, "MPI_Comm_rank");
  version_ = text.data();
  return {};
}

Mpi::Ticket& Mpi::free_ticket(int& number) {
  const auto found = std::find_if(tickets_.begin(), tickets_.end(), [](const auto& ticket) { return !ticket->used; });
  number = static_cast<int>(found - tickets_.begin());
  if (found == tickets_.end()) tickets_.push_back(std::make_unique<Ticket>());
  Ticket& ticket = *tickets_[static_cast<size_t>(number)];
  ticket.used = true;
  ticket.messages.clear();
  ticket.failure = {};
  return ticket;
}

void Mpi::post(Kind kind, const Parcel& parcel, bool receives, Ticket& ticket) {
  char* const data = static_cast<char*>(parcel.data);
  for (int64_t at = 0; at < parcel.bytes && ticket.failure.ok(); at += kMostBytes) {
    const int bytes = static_cast<int>(std::min(kMostBytes, parcel.bytes - at));
    Message message{0, parcel.peer, bytes, receives, false};
    const int code = receives
                         ? mpi_.Irecv(data + at, bytes, mpi_.byte, parcel.peer, kind, mpi_.world, &message.request)
                         : mpi_.Isend(data + at, bytes, mpi_.byte, parcel.peer, kind, mpi_.world, &message.request);
    if (code != 0) ticket.failure = failed(code, "an exchange with rank " + std::to_string(parcel.peer));
    else ticket.messages.push_back(message);
  }
}

int Mpi::post_all(Kind kind, const Parcel* sends, size_t send_count, const Parcel* receives, size_t receive_count) {
  const std::lock_guard<std::timed_mutex> lock(calls_);
  int number;
  Ticket& ticket = free_ticket(number);
  for (size_t i = 0; i < receive_count; ++i) post(kind, receives[i], true, ticket);
  for (size_t i = 0; i < send_count; ++i) {
    post(kind, sends[i], false, ticket);
    traffic.bytes_sent += sends[i].bytes;
  }
  return number;
}

bool Mpi::test(Message& message, Status& failure) {
  alignas(16) char status[MpiLibrary::kStatusBytes] = {};
  int done = 0, bytes = message.bytes;
  int code = mpi_.Test(&message.request, &done, status);
  if (code == 0 && done && message.receives) code = mpi_.Get_count(status, mpi_.byte, &bytes);
  if (code != 0) failure = failed(code, "an exchange with rank " + std::to_string(message.peer));
  else if (bytes != message.bytes) {
    failure = refused("an exchange with rank " + std::to_string(message.peer), std::to_string(message.bytes) + " bytes",
                      std::to_string(bytes));
    failure.code = "ERR_STATE";
  }
  return done;
}

// Whether all is done, or nothing more will be.
bool Mpi::test(Ticket& ticket) {
  bool all = true;
  for (Message& message : ticket.messages) {
    if (!ticket.failure.ok()) return true;
    if (!message.done) message.done = test(message, ticket.failure);
    all = all && message.done;
  }
  return all || !ticket.failure.ok();
}

Status Mpi::wait(int number, double seconds) {
  const int64_t begin = now();
  for (double waited = 0;; waited = static_cast<double>(now() - begin) * 1e-9) {
    pause(waited);
    const std::lock_guard<std::timed_mutex> lock(calls_);
    Ticket& ticket = *tickets_[static_cast<size_t>(number)];
    const bool done = test(ticket);
    if (!done && waited <= seconds) continue;
    traffic.waiting_ns += now() - begin;
    if (!done) return stalled(ticket);
    if (ticket.failure.ok()) ticket.used = false;  // else MPI may still write to what it was given
    return ticket.failure;
  }
}

int Mpi::begin(const Parcel* sends, size_t send_count, const Parcel* receives, size_t receive_count) {
  return post_all(kPlan, sends, send_count, receives, receive_count);
}

Status Mpi::finish(int ticket) { return wait(ticket, timeout_); }

void Mpi::progress() {
  const std::lock_guard<std::timed_mutex> lock(calls_);
  for (const auto& ticket : tickets_) {
    if (ticket->used) test(*ticket);
  }
}

int64_t Mpi::now() const {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

Status Mpi::share(const std::vector<Parcel>& sends, const std::vector<Parcel>& receives) {
  return wait(post_all(kShared, sends.data(), sends.size(), receives.data(), receives.size()), timeout_);
}

// Those from whom nothing came; where all came, those who did not take what was sent.
Status Mpi::stalled(const Ticket& ticket) const {
  std::set<int> silent, deaf;
  for (const Message& message : ticket.messages) {
    if (!message.done) (message.receives ? silent : deaf).insert(message.peer);
  }
  return {ranks_text(silent.empty() ? deaf : silent) + " did not answer within " + seconds_text(timeout_) +
              " s (ANNEAL_MPI_TIMEOUT): stopped, swapping, or in another part of the program",
          "ERR_RANK_STALLED"};
}

Status Mpi::failed(int code, const std::string& what) const {
  std::vector<char> text(MpiLibrary::kVersionLength + 1);
  int length = 0;
  mpi_.Error_string(code, text.data(), &length);
  return {what + " failed: " + text.data(), "ERR_STATE"};
}

Status Mpi::finalize() {
  char none = 0;
  std::vector<char> theirs(static_cast<size_t>(size_));
  std::vector<Parcel> sends, receives;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    sends.push_back({peer, &none, 1});
    receives.push_back({peer, &theirs[static_cast<size_t>(peer)], 1});
  }
  const int ticket = post_all(kEnd, sends.data(), sends.size(), receives.data(), receives.size());
  Status status = wait(ticket, std::numeric_limits<double>::infinity());
  if (!status.ok()) return status;
  const std::lock_guard<std::timed_mutex> lock(calls_);
  const int code = mpi_.Finalize();
  return code == 0 ? Status{} : failed(code, "MPI_Finalize");
}

void Mpi::abort(int code) {
  // A call that hangs on another thread must not keep the job alive.
  const bool locked = calls_.try_lock_for(std::chrono::seconds(1));
  mpi_.Abort(mpi_.world, code);
  if (locked) calls_.unlock();
}

}  // namespace anneal
#endif
