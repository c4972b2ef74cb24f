// A transport between threads of one process: what is sent is copied into a box, from which it is received. A rank
// that waits for longer than the timeout gives up.
#pragma once

#include <string.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../plan/transport.h"

namespace anneal::test {

struct Mailboxes {
  explicit Mailboxes(int size) : size(size) {}

  const int size;
  std::mutex mutex;
  std::condition_variable arrived;
  std::map<std::pair<int, int>, std::deque<std::vector<char>>> boxes;  // by sender and receiver
};

class Mailbox : public Transport {
 public:
  Mailbox(std::shared_ptr<Mailboxes> all, int rank, double timeout = 20)
      : all_(std::move(all)), rank_(rank), timeout_(timeout) {}

  int rank() const override { return rank_; }
  int size() const override { return all_->size; }

  int begin(const Parcel* sends, size_t send_count, const Parcel* receives, size_t receive_count) override {
    const std::lock_guard<std::mutex> lock(all_->mutex);
    for (size_t i = 0; i < send_count; ++i) {
      const char* data = static_cast<const char*>(sends[i].data);
      all_->boxes[{rank_, sends[i].peer}].emplace_back(data, data + sends[i].bytes);
      traffic.bytes_sent += sends[i].bytes;
    }
    all_->arrived.notify_all();
    expected_.emplace_back(receives, receives + receive_count);
    return static_cast<int>(expected_.size()) - 1;
  }

  // In whatever order it is asked, parcels are those that were sent in the order of `begin`.
  Status finish(int ticket) override {
    for (; received_ <= ticket; ++received_) {
      for (const Parcel& parcel : expected_[static_cast<size_t>(received_)]) {
        Status status = receive(parcel);
        if (!status.ok()) return status;
      }
    }
    return {};
  }

  void progress() override {}
  int64_t now() const override { return 0; }

 private:
  Status receive(const Parcel& parcel) {
    std::unique_lock<std::mutex> lock(all_->mutex);
    auto& box = all_->boxes[{parcel.peer, rank_}];
    const auto limit = std::chrono::duration<double>(timeout_);
    if (!all_->arrived.wait_for(lock, limit, [&] { return !box.empty(); })) {
      return {"rank " + std::to_string(parcel.peer) + " did not answer", "ERR_RANK_STALLED"};
    }
    const std::vector<char> bytes = std::move(box.front());
    box.pop_front();
    if (static_cast<int64_t>(bytes.size()) != parcel.bytes) {
      return refused("Mailbox", std::to_string(parcel.bytes) + " bytes", std::to_string(bytes.size()));
    }
    memcpy(parcel.data, bytes.data(), bytes.size());
    return {};
  }

  std::shared_ptr<Mailboxes> all_;
  int rank_;
  double timeout_;
  std::vector<std::vector<Parcel>> expected_;
  int received_ = 0;
};

}  // namespace anneal::test
