// See exchange.h.
#include "exchange.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "../base/sizes.h"

namespace anneal {
namespace {

constexpr int64_t kMaxCount = 2147483647;
constexpr int64_t kLine = 64;

using ByPeer = std::map<int64_t, std::vector<ArenaBlock>>;

ByPeer by_peer(const std::vector<ArenaBlock>& blocks) {
  ByPeer peers;
  for (const ArenaBlock& block : blocks) peers[block.peer].push_back(block);
  return peers;
}

int64_t bytes_of(const std::vector<ArenaBlock>& blocks) {
  int64_t sum = 0;
  for (const ArenaBlock& block : blocks) sum += block.bytes();
  return sum;
}

int64_t whole_lines(int64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

// Whether what goes to or comes from a peer is in one piece.
bool is_whole(const std::vector<ArenaBlock>& blocks) { return blocks.size() == 1 && blocks[0].times == 1; }

// The memory for what is not, one parcel after the other.
int64_t staging_of(const ByPeer& peers, int rank) {
  int64_t sum = 0;
  for (const auto& [peer, blocks] : peers) {
    if (peer != rank && !is_whole(blocks)) sum += whole_lines(bytes_of(blocks));
  }
  return sum;
}

// Counts the time that it lives as copying. The clock is the transport's: WebAssembly, which has none, asks for none.
class Stopwatch {
 public:
  explicit Stopwatch(Transport& transport) : transport_(transport), begin_(transport.now()) {}
  ~Stopwatch() { transport_.traffic.copying_ns += transport_.now() - begin_; }

 private:
  Transport& transport_;
  const int64_t begin_;
};

// ---- Proofs --------------------------------------------------------------------------------------------------------

Status read_block(CodeReader& code, const std::string& name, const Arena& arena, int ranks, ArenaBlock& block) {
  int64_t* const numbers[] = {&block.peer, &block.offset, &block.words, &block.stride, &block.times};
  const int64_t low[] = {0, 0, 1, 0, 1}, high[] = {ranks - 1, kMaxSize, kMaxSize, kMaxSize, kMaxCount};
  for (int i = 0; i < 5; ++i) {
    Status status = code.integer(name + "'s " + kBlockNames[i], low[i], high[i], *numbers[i]);
    if (!status.ok()) return status;
  }
  if (block.times > 1 && block.stride < block.words) {
    return code.refuse(name + "'s stride to be at least its words (" + text(block.words) + ")", text(block.stride));
  }
  const int64_t last = block.times > 1 ? checked_mul(block.times - 1, block.stride) : 0;
  const int64_t end = checked_add(checked_add(block.offset, last), block.words), words = arena.bytes() / kWord;
  if (end < 0 || end > words) {
    return code.refuse(name + " to end within the " + text(words) + " words of the arena",
                       end < 0 ? "an end beyond 2^53" : "an end at " + text(end));
  }
  if (block.times == 1 || block.stride == block.words) {
    block.stride = block.words *= block.times;
    block.times = 1;
  }
  return {};
}

Status read_blocks(CodeReader& code, const char* name, int64_t count, const Arena& arena, int ranks,
                   std::vector<ArenaBlock>& blocks) {
  for (int64_t i = 0; i < count; ++i) {
    ArenaBlock block;
    Status status = read_block(code, name + text(i), arena, ranks, block);
    if (!status.ok()) return status;
    blocks.push_back(block);
  }
  return {};
}

Status prove_disjoint(const CodeReader& code, const std::vector<ArenaBlock>& sends,
                      const std::vector<ArenaBlock>& receives) {
  for (size_t i = 0; i < receives.size(); ++i) {
    const std::string name = "receive " + text(i) + " to share no memory with ";
    for (size_t j = 0; j < i; ++j) {
      if (receives[i].meets(receives[j])) return code.refuse(name + "receive " + text(j), "blocks that meet");
    }
    for (size_t j = 0; j < sends.size(); ++j) {
      if (receives[i].meets(sends[j])) return code.refuse(name + "send " + text(j), "blocks that meet");
    }
  }
  return {};
}

Status prove_own(const CodeReader& code, const std::vector<ArenaBlock>& sends, const std::vector<ArenaBlock>& receives,
                 int rank) {
  const int64_t out = bytes_of(by_peer(sends)[rank]), in = bytes_of(by_peer(receives)[rank]);
  if (out == in) return {};
  return code.refuse("rank " + text(int64_t{rank}) + " to receive what it sends itself (" + text(out / kWord) +
                         " words)",
                     text(in / kWord));
}

}  // namespace

bool ArenaBlock::meets(const Extent& extent) const {
  const int64_t begin = extent.begin / kWord, limit = (extent.end + kWord - 1) / kWord;
  if (begin >= limit || limit <= offset || begin >= end()) return false;
  // The first run that ends after `begin`.
  const int64_t past = begin - offset - words;
  const int64_t run = past < 0 ? 0 : past / stride + 1;
  return run < times && offset + run * stride < limit;
}

bool ArenaBlock::meets(const ArenaBlock& other) const {
  if (!meets(Extent{other.offset * kWord, other.end() * kWord})) return false;
  for (int64_t run = 0; run < other.times; ++run) {
    const int64_t begin = other.offset + run * other.stride;
    if (meets(Extent{begin * kWord, (begin + other.words) * kWord})) return true;
  }
  return false;
}

Exchange::Exchange(std::vector<ArenaBlock> sends, std::vector<ArenaBlock> receives, char* arena, int rank)
    : sends_(std::move(sends)), receives_(std::move(receives)) {
  const ByPeer outgoing = by_peer(sends_);
  const int64_t out = staging_of(outgoing, rank), in = staging_of(by_peer(receives_), rank);
  const auto own = outgoing.find(rank);
  staging_ = std::make_unique<Arena>(out + in + (own == outgoing.end() ? 0 : bytes_of(own->second)));
  char *packed = staging_->data(), *staying = packed + out + in;
  out_ = side_of(sends_, arena, packed, staying, rank);
  in_ = side_of(receives_, arena, packed + out, staying, rank);
}

Exchange::Side Exchange::side_of(const std::vector<ArenaBlock>& blocks, char* arena, char* packed, char* own,
                                 int rank) {
  Side side;
  for (const auto& [peer, of_peer] : by_peer(blocks)) {
    const bool stays = peer == rank, whole = !stays && is_whole(of_peer);
    const int64_t bytes = bytes_of(of_peer);
    char* next = stays ? own : packed;
    if (!stays) {
      side.parcels.push_back({static_cast<int>(peer), whole ? arena + of_peer[0].offset * kWord : next, bytes});
    }
    if (whole) continue;
    for (const ArenaBlock& block : of_peer) {
      (stays ? side.own : side.copies)
          .push_back({arena + block.offset * kWord, next, block.words * kWord, block.stride * kWord, block.times});
      next += block.bytes();
    }
    if (!stays) packed += whole_lines(bytes);
  }
  return side;
}

void Exchange::Copy::pack() const {
  for (int64_t i = 0; i < times; ++i) std::memcpy(packed + i * bytes, arena + i * stride, static_cast<size_t>(bytes));
}

void Exchange::Copy::unpack() const {
  for (int64_t i = 0; i < times; ++i) std::memcpy(arena + i * stride, packed + i * bytes, static_cast<size_t>(bytes));
}

void Exchange::start(Transport& transport) {
  {
    const Stopwatch watch(transport);
    for (const Copy& copy : out_.copies) copy.pack();
    for (const Copy& copy : out_.own) copy.pack();
    for (const Copy& copy : in_.own) copy.unpack();
  }
  ticket_ = transport.begin(out_.parcels.data(), out_.parcels.size(), in_.parcels.data(), in_.parcels.size());
}

Status Exchange::finish(Transport& transport) {
  Status status = transport.finish(ticket_);
  if (!status.ok()) return status;
  const Stopwatch watch(transport);
  for (const Copy& copy : in_.copies) copy.unpack();
  return {};
}

bool Exchange::sends_any(const Extent& extent) const {
  return std::any_of(sends_.begin(), sends_.end(), [&](const ArenaBlock& block) { return block.meets(extent); });
}

bool Exchange::receives_any(const Extent& extent) const {
  return std::any_of(receives_.begin(), receives_.end(), [&](const ArenaBlock& block) { return block.meets(extent); });
}

Extent Exchange::received() const {
  Extent all;
  for (const ArenaBlock& block : receives_) all.include({block.offset * kWord, block.end() * kWord});
  return all;
}

bool Exchange::disturbs(const Exchange& other) const {
  const auto meet = [](const std::vector<ArenaBlock>& blocks, const std::vector<ArenaBlock>& others) {
    return std::any_of(blocks.begin(), blocks.end(), [&](const ArenaBlock& block) {
      return std::any_of(others.begin(), others.end(), [&](const ArenaBlock& other) { return block.meets(other); });
    });
  };
  return meet(receives_, other.receives_) || meet(receives_, other.sends_) || meet(sends_, other.receives_);
}

Status decode_exchange(CodeReader& code, const Arena& arena, const Transport* transport,
                       std::unique_ptr<Exchange>& exchange) {
  if (!transport) return code.refuse("no exchange in a plan without a world", "one");
  int64_t send_count, receive_count;
  std::vector<ArenaBlock> sends, receives;
  Status status = code.integer("the number of sends", 0, kMaxCount, send_count);
  if (status.ok()) status = code.integer("the number of receives", 0, kMaxCount, receive_count);
  if (status.ok()) status = read_blocks(code, "send ", send_count, arena, transport->size(), sends);
  if (status.ok()) status = read_blocks(code, "receive ", receive_count, arena, transport->size(), receives);
  if (status.ok()) status = prove_disjoint(code, sends, receives);
  if (status.ok()) status = prove_own(code, sends, receives, transport->rank());
  if (!status.ok()) return status;
  exchange = std::make_unique<Exchange>(std::move(sends), std::move(receives), arena.data(), transport->rank());
  return {};
}

}  // namespace anneal
