// An exchange: blocks of the arena go to other ranks, blocks of theirs come into it. It is started by one instruction
// and finished by a later one, so that the program computes in between. Not here: how bytes get to another process
// (transport.h), the order of exchanges and calls (program.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../base/arena.h"
#include "code_reader.h"
#include "extent.h"
#include "transport.h"

namespace anneal {

// `times` runs of `words` words of the arena, each `stride` words after the one before, for or from the rank `peer`.
struct ArenaBlock {
  int64_t peer, offset, words, stride, times;

  int64_t end() const { return offset + (times - 1) * stride + words; }
  int64_t bytes() const { return words * times * kWord; }
  // Whether any word of any run is among them.
  bool meets(const Extent& extent) const;
  bool meets(const ArenaBlock& other) const;
};

// What the numbers of a block are called, in their order.
constexpr const char* kBlockNames[] = {"peer", "offset", "words", "stride", "times"};

class Exchange {
 public:
  // Blocks as decode_exchange proves them.
  Exchange(std::vector<ArenaBlock> sends, std::vector<ArenaBlock> receives, char* arena, int rank);

  // Copies what a rank sends itself, packs what is not in one piece and begins.
  void start(Transport& transport);
  // Waits and unpacks.
  Status finish(Transport& transport);

  bool sends_any(const Extent& extent) const;
  bool receives_any(const Extent& extent) const;
  // All that it writes lies in there.
  Extent received() const;
  // Whether the one receives what the other sends or receives.
  bool disturbs(const Exchange& other) const;

 private:
  // Between the arena and memory where the runs lie one after the other.
  struct Copy {
    char *arena, *packed;
    int64_t bytes, stride, times;

    void pack() const;
    void unpack() const;
  };
  // One direction: what travels, the copies that this takes, and those of what stays here.
  struct Side {
    std::vector<Parcel> parcels;
    std::vector<Copy> copies, own;
  };

  static Side side_of(const std::vector<ArenaBlock>& blocks, char* arena, char* packed, char* own, int rank);

  std::vector<ArenaBlock> sends_, receives_;
  std::unique_ptr<Arena> staging_;
  Side out_, in_;
  int ticket_ = 0;
};

// Reads the blocks of one exchange and proves that peers exist, that blocks lie in the arena, that what is received
// meets nothing else of the exchange, and that a rank sends itself as much as it receives from itself.
Status decode_exchange(CodeReader& code, const Arena& arena, const Transport* transport,
                       std::unique_ptr<Exchange>& exchange);

}  // namespace anneal
