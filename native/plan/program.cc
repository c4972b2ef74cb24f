// The decoder and its proofs, one call after the other. See program.h.
#include "program.h"

#include <algorithm>
#include <string>

#include "../base/sizes.h"
#include "../kernels/dispatch.h"
#include "prefetch.h"

namespace anneal {
namespace {

constexpr int64_t kMaxDim = 2147483647;

struct Place {
  int64_t region, offset;
};

Dtype moving_dtype(int64_t region) {
  return region == kScalars ? Dtype::f64 : region == kLosses || region == kDraws ? Dtype::f32 : Dtype::i32;
}

bool is_moving(int64_t region) { return region >= kFirstMoving && region < kFirstMoving + kMovingRegions; }
bool is_result(int64_t region) { return region == kLosses || region == kCounts; }

std::string region_name(int64_t region) {
  if (region >= kFirstStore) return "store " + std::to_string(region - kFirstStore);
  return is_moving(region) ? kMovingNames[region - kFirstMoving] : region == kArena ? "the arena" : "nowhere";
}

// What a call does, in multiply-adds of a product: all its dims, but rows that are looked up are not gone through. An
// element of the largest buffer counts as eight, so much longer it takes to come and go.
int64_t work_of(const KernelInfo& kernel, const Call& call) {
  int64_t product = 1, largest = 0;
  for (int d = 0; d < kernel.dim_count; ++d) product = checked_mul(product, call.dim[d]);
  for (int b = 0; b < kernel.buffer_count; ++b) {
    if (kernel.buffers[b].dtype == Dtype::i32 && kernel.buffers[b].role == Role::in) product = 0;
    largest = std::max(largest, checked_mul(8, extent(kernel.buffers[b], call.dim)));
  }
  return std::max(product, largest);
}

// Whether the work of a call is worth handing to several threads (plan_test --bench): two take 0.7 of one's time at the
// bound, 0.55 at four times as much and no less than one's at a quarter.
bool worth_splitting(const KernelInfo& kernel, const Call& call) {
  constexpr int64_t kLeast = int64_t{1} << 18;
  return kernel.splits && work_of(kernel, call) >= kLeast;
}

class Decoder {
 public:
  Decoder(const double* code, size_t length, int index, const Space& space, Program& program)
      : code_(code, length, index), space_(space), program_(program) {}

  Status decode() {
    Status status = header();
    for (int64_t call = 0; status.ok() && !code_.at_end(); ++call) {
      code_.enter(call);
      status = next_call();
    }
    code_.enter(-1);
    if (status.ok() && !open_.empty()) {
      status = code_.refuse("every exchange to be finished", "exchange " + text(number_of(open_[0])) + " that is not");
    }
    if (!status.ok()) return status;
    collect_pointers();
    return prove_prefetch(code_, uses_, program_);
  }

 private:
  Status header() {
    for (int i = 0; i < kMovingRegions; ++i) {
      Status status = code_.integer(std::string(kMovingNames[i]) + " per step", 0, kMaxDim, program_.per_step.of[i]);
      if (!status.ok()) return status;
    }
    for (int i = 0; i < 2; ++i) {
      int64_t& call = i == 0 ? program_.prefetch.gather : program_.prefetch.reader;
      Status status = code_.integer(std::string("the number of the ") + kPrefetchNames[i], 0, kMaxDim, call);
      if (!status.ok()) return status;
      --call;
    }
    Status status = code_.integer("the number of rows", 0, kMaxDim, program_.most_rows);
    program_.rows = program_.most_rows;
    return status;
  }

  Status next_call() {
    int64_t id;
    Status status = code_.integer("a kernel id", 0, arrival_id(), id);
    if (!status.ok()) return status;
    if (id == exchange_id()) return next_exchange();
    if (id == arrival_id()) return next_arrival();
    kernel_ = &kernel_info(static_cast<int>(id));
    code_.name(kernel_->name);
    Instruction instruction{kernel_, active_kernels()[id], false, kernel_->sums, {}};
    Place places[kMaxBuffers];
    status = operands(instruction.call, places);
    if (!status.ok()) return status;
    Range ranges[kMaxBuffers];
    status = prove(instruction.call, places, ranges);
    if (status.ok()) status = prove_undisturbed(ranges);
    if (!status.ok()) return status;
    instruction.splits = worth_splitting(*kernel_, instruction.call);
    program_.instructions.push_back(instruction);
    uses_.push_back({kernel_, nullptr, {}});
    std::copy(ranges, ranges + kernel_->buffer_count, uses_.back().ranges);
    return {};
  }

  Status next_exchange() {
    code_.name("exchange");
    if (program_.most_rows > 0) return code_.refuse("no exchange where rows differ from run to run", "one");
    std::unique_ptr<Exchange> next;
    Status status = decode_exchange(code_, *space_.arena, space_.transport.get(), next);
    if (!status.ok()) return status;
    for (const Exchange* open : open_) {
      if (next->disturbs(*open)) return disturbed("blocks that meet its", open);
    }
    program_.written.include(next->received());
    program_.exchanges.push_back(std::move(next));
    open_.push_back(program_.exchanges.back().get());
    return add_communication(open_.back(), false);
  }

  Status next_arrival() {
    code_.name("arrival");
    int64_t i;
    Status status = code_.integer("the number of an exchange", 0, kMaxDim, i);
    if (!status.ok()) return status;
    const auto found =
        std::find_if(open_.begin(), open_.end(), [&](const Exchange* open) { return number_of(open) == i; });
    if (found == open_.end()) return code_.refuse("an exchange that is under way", "number " + text(i));
    Exchange* const arrived = *found;
    open_.erase(found);
    return add_communication(arrived, true);
  }

  Status add_communication(Exchange* exchange, bool arrives) {
    program_.instructions.push_back({nullptr, nullptr, false, false, {}, exchange, arrives});
    uses_.push_back({nullptr, exchange, {}});
    return {};
  }

  int64_t number_of(const Exchange* exchange) const {
    int64_t i = 0;
    while (program_.exchanges[static_cast<size_t>(i)].get() != exchange) ++i;
    return i;
  }

  // Proves that the call leaves alone what is under way.
  Status prove_undisturbed(const Range* ranges) const {
    for (const Exchange* open : open_) {
      for (int b = 0; b < kernel_->buffer_count; ++b) {
        if (ranges[b].region != kArena) continue;
        const Extent extent{ranges[b].begin, ranges[b].end};
        const bool writes = kernel_->buffers[b].role != Role::in;
        if (open->receives_any(extent) || (writes && open->sends_any(extent))) {
          return disturbed(std::string("buffer ") + kernel_->buffers[b].name.text + " in", open);
        }
      }
    }
    return {};
  }

  Status disturbed(const std::string& what, const Exchange* open) const {
    return code_.refuse("to leave the blocks of exchange " + text(number_of(open)) + " alone until it is finished",
                        what + " them");
  }

  // Reads the numbers of one call.
  Status operands(Call& call, Place* places) {
    for (int b = 0; b < kernel_->buffer_count; ++b) {
      const std::string name = std::string("buffer ") + kernel_->buffers[b].name.text;
      Status status = code_.integer(name + "'s region", 0, kMaxDim, places[b].region);
      if (status.ok()) status = code_.integer(name + "'s offset", 0, kMaxSize, places[b].offset);
      if (!status.ok()) return status;
    }
    for (int d = 0; d < kernel_->dim_count; ++d) {
      Status status = dim(d, call.dim[d]);
      if (!status.ok()) return status;
    }
    for (int s = 0; s < kernel_->scalar_count; ++s) {
      Status status = code_.number(std::string("scalar ") + kernel_->scalars[s].text, call.scalar[s]);
      if (!status.ok()) return status;
    }
    return {};
  }

  // One that goes with the rows is taken at the most of them.
  Status dim(int d, int64_t& value) {
    const std::string what = std::string("dim ") + kernel_->dims[d].text;
    const bool per_row = program_.most_rows > 0 && code_.next_is_negative();
    if (!per_row) return code_.integer(what, 0, kMaxDim, value);
    int64_t factor;
    Status status = code_.integer(what + " per row", 0, kMaxDim, factor, -1);
    if (!status.ok()) return status;
    value = checked_mul(factor, program_.most_rows);
    if (value < 0 || value > kMaxDim) {
      return code_.refuse(what + " to be at most " + text(kMaxDim), text(factor) + " for each row");
    }
    if (kernel_->dims[d].text == std::string("rows")) return code_.refuse(what + " to be fixed", "one per row");
    program_.row_dims.push_back({static_cast<int>(program_.instructions.size()), d, factor});
    return {};
  }

  Status prove(Call& call, const Place* places, Range* ranges) {
    for (int b = 0; b < kernel_->buffer_count; ++b) {
      Status status = locate(b, call, places[b], ranges[b]);
      if (!status.ok()) return status;
    }
    for (int b = 0; b < kernel_->buffer_count; ++b) {
      for (int other = 0; other < kernel_->buffer_count; ++other) {
        if (other != b && clashes(b, other, ranges)) return clash(b, other);
      }
    }
    return {};
  }

  // Proves that a buffer is within its region and takes note of where.
  Status locate(int b, Call& call, const Place& place, Range& range) {
    const BufferSpec& buffer = kernel_->buffers[b];
    range = {place.region, 0, 0};
    if (place.region == kAbsent) {
      call.buffer[b] = nullptr;
      return buffer.optional ? Status{} : refuse(b, "to be present", "region 0");
    }
    Status status = check_region(b, place);
    if (!status.ok()) return status;
    const int64_t count = extent(buffer, call.dim), size = element_size(buffer.dtype);
    const int64_t unit = place.region == kArena ? kWord : size;
    // Counted in units: `count` is at most 2^53, or -1 when it is more.
    const int64_t units = checked_mul(count, size / unit), end = checked_add(place.offset, units);
    const int64_t available = size_of(place.region);
    if (end < 0 || end > available) {
      return refuse(b, "to end within the " + text(available) + " elements of " + region_name(place.region),
                    "offset " + text(place.offset) + " and " + (units < 0 ? "more than 2^53" : text(units)) +
                        " elements");
    }
    range = {place.region, place.offset * unit, end * unit};
    if (place.region == kArena && buffer.role != Role::in) program_.written.include({range.begin, range.end});
    call.buffer[b] = place.region == kArena ? space_.arena->data() + place.offset * unit : nullptr;
    if (place.region != kArena) notes_.push_back({program_.instructions.size(), b, place.region, place.offset * size});
    return limit_order(b, place, call);
  }

  Status check_region(int b, const Place& place) {
    const BufferSpec& buffer = kernel_->buffers[b];
    const bool is_store = place.region >= kFirstStore;
    if (is_store ? place.region - kFirstStore >= static_cast<int64_t>(space_.stores.size())
                 : place.region != kArena && !is_moving(place.region)) {
      return refuse(b,
                    "to be in the arena, order, scalars, losses, counts, draws or one of " +
                        text(space_.stores.size()) + " stores",
                    "region " + text(place.region));
    }
    if (place.region == kArena) {
      if (element_size(buffer.dtype) < kWord)
        return refuse(b, std::string("to be in a store, being ") + dtype_name(buffer.dtype), "the arena");
      const bool even = buffer.dtype != Dtype::f64 || place.offset % 2 == 0;
      return even ? Status{} : refuse(b, "to have an even offset, being float64", text(place.offset));
    }
    const Dtype dtype = is_store ? space_.stores[place.region - kFirstStore]->dtype : moving_dtype(place.region);
    if (dtype != buffer.dtype) {
      return refuse(b, std::string("to be in a region of ") + dtype_name(buffer.dtype),
                    region_name(place.region) + ", which is " + dtype_name(dtype));
    }
    if (buffer.role == Role::in || is_result(place.region)) return {};
    return refuse(b, "to be in the arena, losses or counts, being written", region_name(place.region));
  }

  // Row numbers come from the order alone, where a run proves them.
  Status limit_order(int b, const Place& place, const Call& call) {
    const int dim = row_limit(*kernel_, kernel_->buffers[b]);
    if (dim < 0) return {};
    if (place.region != kOrder) return refuse(b, "to be in order, being row numbers", region_name(place.region));
    program_.takes_rows = true;
    program_.order_limit = std::min(program_.order_limit, call.dim[dim]);
    return {};
  }

  // An output may share memory with nothing but an input that the kernel lets it replace.
  bool clashes(int b, int other, const Range* ranges) const {
    const BufferSpec &output = kernel_->buffers[b], &second = kernel_->buffers[other];
    if (output.role == Role::in || !ranges[b].meets(ranges[other])) return false;
    return !(ranges[b].equals(ranges[other]) && may_alias(*kernel_, output, second));
  }

  Status clash(int b, int other) {
    return refuse(b, std::string("to share no memory with ") + kernel_->buffers[other].name.text, "ranges that meet");
  }

  int64_t size_of(int64_t region) const {
    if (region == kArena) return space_.arena->bytes() / kWord;
    if (is_moving(region)) return program_.per_step.of[region - kFirstMoving];
    return space_.stores[region - kFirstStore]->length;
  }

  // Only now do the instructions stay where they are. A run gives the tables their places.
  void collect_pointers() {
    for (const Note& note : notes_) {
      if (is_moving(note.region)) {
        void** pointer = &program_.instructions[note.instruction].call.buffer[note.buffer];
        const int64_t size = element_size(moving_dtype(note.region));
        const int64_t advance = program_.per_step.of[note.region - kFirstMoving] * size;
        program_.moving.push_back({pointer, static_cast<Region>(note.region), note.offset, advance});
      } else {
        program_.stored.push_back(
            {static_cast<int>(note.instruction), note.buffer, note.region - kFirstStore, note.offset});
      }
    }
    for (size_t s = 0; s < space_.stores.size(); ++s) {
      point_to_store(program_, static_cast<int64_t>(s), space_.stores[s]->data);
    }
  }

  Status refuse(int b, const std::string& expected, const std::string& received) const {
    return code_.refuse(std::string("buffer ") + kernel_->buffers[b].name.text + " " + expected, received);
  }

  // A buffer outside of the arena.
  struct Note {
    size_t instruction;
    int buffer;
    int64_t region, offset;  // bytes
  };

  CodeReader code_;
  const KernelInfo* kernel_ = nullptr;
  const Space& space_;
  Program& program_;
  std::vector<Note> notes_;
  std::vector<Use> uses_;
  std::vector<Exchange*> open_;  // started and not finished
};

}  // namespace

void set_rows(Program& program, int64_t rows) {
  if (program.rows == rows) return;
  program.rows = rows;
  for (const RowDim& row_dim : program.row_dims) {
    Instruction& instruction = program.instructions[row_dim.instruction];
    instruction.call.dim[row_dim.dim] = row_dim.per_row * rows;
    instruction.splits = worth_splitting(*instruction.kernel, instruction.call);
  }
}

void point_to_store(Program& program, int64_t number, const char* values) {
  for (const StoredBuffer& stored : program.stored) {
    if (stored.store != number) continue;
    // A call has one type for what it reads and what it writes, and stores are only read.
    program.instructions[stored.instruction].call.buffer[stored.buffer] = const_cast<char*>(values) + stored.offset;
  }
}

int64_t reach_into_store(const Program& program, int64_t number) {
  int64_t reach = 0;
  for (const StoredBuffer& stored : program.stored) {
    if (stored.store != number) continue;
    const Instruction& instruction = program.instructions[stored.instruction];
    const BufferSpec& buffer = instruction.kernel->buffers[stored.buffer];
    const int64_t first = stored.offset / element_size(buffer.dtype);
    reach = std::max(reach, first + extent(buffer, instruction.call.dim));
  }
  return reach;
}

Status decode_program(const double* code, size_t length, int index, const Space& space, Program& program) {
  return Decoder(code, length, index, space, program).decode();
}

}  // namespace anneal
