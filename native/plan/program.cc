// The decoder and its proofs, one call after the other. See program.h.
#include "program.h"

#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "../base/sizes.h"
#include "../kernels/dispatch.h"

namespace anneal {
namespace {

constexpr int64_t kMaxDim = 2147483647;

struct Place {
  int64_t region, offset;
};

// The bytes of a buffer within its region; regions of different numbers never share memory.
struct Range {
  int64_t region, begin, end;

  bool meets(const Range& other) const { return region == other.region && begin < other.end && other.begin < end; }
  bool equals(const Range& other) const { return region == other.region && begin == other.begin && end == other.end; }
};

std::string text(int64_t value) { return std::to_string(value); }
std::string text(size_t value) { return std::to_string(value); }
std::string text(double value) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%.17g", value);
  return buffer;
}

const char* dtype_name(Dtype dtype) {
  return dtype == Dtype::f32 ? "float32" : dtype == Dtype::i32 ? "int32" : "float64";
}

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
      : code_(code), length_(length), index_(index), space_(space), program_(program) {}

  Status decode() {
    Status status = header();
    for (int call = 0; status.ok() && at_ < length_; ++call) {
      call_ = call;
      kernel_ = nullptr;
      status = next_call();
    }
    if (!status.ok()) return status;
    collect_moving();
    return prove_prefetch();
  }

 private:
  Status header() {
    for (int i = 0; i < kMovingRegions; ++i) {
      Status status = integer(std::string(kMovingNames[i]) + " per step", kMaxDim, program_.per_step.of[i]);
      if (!status.ok()) return status;
    }
    for (int i = 0; i < 2; ++i) {
      int64_t& call = i == 0 ? program_.prefetch.gather : program_.prefetch.reader;
      Status status = integer(std::string("the number of the ") + kPrefetchNames[i], kMaxDim, call);
      if (!status.ok()) return status;
      --call;
    }
    Status status = integer("the number of rows", kMaxDim, program_.most_rows);
    program_.rows = program_.most_rows;
    return status;
  }

  Status next_call() {
    int64_t id;
    Status status = integer("a kernel id", kernel_count() - 1, id);
    if (!status.ok()) return status;
    kernel_ = &kernel_info(static_cast<int>(id));
    Instruction instruction{kernel_, active_kernels()[id], false, kernel_->sums, {}};
    Place places[kMaxBuffers];
    status = operands(instruction.call, places);
    if (!status.ok()) return status;
    Range ranges[kMaxBuffers];
    status = prove(instruction.call, places, ranges);
    if (!status.ok()) return status;
    instruction.splits = worth_splitting(*kernel_, instruction.call);
    program_.instructions.push_back(instruction);
    uses_.push_back({kernel_, {}});
    std::copy(ranges, ranges + kernel_->buffer_count, uses_.back().ranges);
    return {};
  }

  // Reads the numbers of one call.
  Status operands(Call& call, Place* places) {
    for (int b = 0; b < kernel_->buffer_count; ++b) {
      const std::string name = std::string("buffer ") + kernel_->buffers[b].name.text;
      Status status = integer(name + "'s region", kMaxDim, places[b].region);
      if (status.ok()) status = integer(name + "'s offset", kMaxSize, places[b].offset);
      if (!status.ok()) return status;
    }
    for (int d = 0; d < kernel_->dim_count; ++d) {
      Status status = dim(d, call.dim[d]);
      if (!status.ok()) return status;
    }
    for (int s = 0; s < kernel_->scalar_count; ++s) {
      Status status = number(std::string("scalar ") + kernel_->scalars[s].text, call.scalar[s]);
      if (!status.ok()) return status;
    }
    return {};
  }

  // One that goes with the rows is taken at the most of them.
  Status dim(int d, int64_t& value) {
    const std::string what = std::string("dim ") + kernel_->dims[d].text;
    const bool per_row = program_.most_rows > 0 && at_ < length_ && code_[at_] < 0;
    if (!per_row) return integer(what, kMaxDim, value);
    int64_t factor;
    Status status = integer(what + " per row", kMaxDim, factor, -1);
    if (!status.ok()) return status;
    value = checked_mul(factor, program_.most_rows);
    if (value < 0 || value > kMaxDim) {
      return refused(where(), what + " to be at most " + text(kMaxDim), text(factor) + " for each row");
    }
    if (kernel_->dims[d].text == std::string("rows")) return refused(where(), what + " to be fixed", "one per row");
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
    if (is_moving(place.region)) {
      call.buffer[b] = nullptr;  // a run gives it its place
      note_moving(b, place, size);
    } else {
      call.buffer[b] = base_of(place.region) + place.offset * unit;
    }
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

  char* base_of(int64_t region) const {
    return region == kArena ? space_.arena->data() : space_.stores[region - kFirstStore]->memory.data();
  }

  void note_moving(int b, const Place& place, int64_t size) {
    const int64_t advance = program_.per_step.of[place.region - kFirstMoving] * size;
    const Region region = static_cast<Region>(place.region);
    notes_.push_back({program_.instructions.size(), b, {nullptr, region, place.offset * size, advance}});
  }

  // Only now do the instructions stay where they are.
  void collect_moving() {
    for (Note& note : notes_) {
      note.moving.pointer = &program_.instructions[note.instruction].call.buffer[note.buffer];
      program_.moving.push_back(note.moving);
    }
  }

  // Proves that nothing touches the memory of the batch but its gather from a store and, later in the step, calls that
  // read it, the last of which can replace it.
  Status prove_prefetch() {
    const int64_t gather = program_.prefetch.gather, reader = program_.prefetch.reader;
    const int64_t calls = static_cast<int64_t>(uses_.size());
    call_ = -1;
    if (gather < 0 && reader < 0) return {};
    if (program_.most_rows > 0) return refused(where(), "no prefetch where rows differ from run to run", "one");
    if (gather < 0 || gather >= reader || reader >= calls) {
      return refused(where(), "a gather and a later reader among " + text(calls) + " calls",
                     text(gather + 1) + " and " + text(reader + 1));
    }
    const Use &from = uses_[gather], &last = uses_[reader];
    const int x = last.kernel->prefetches ? buffer_named(*last.kernel, "x") : -1;
    const Call &gathered = program_.instructions[gather].call, &read = program_.instructions[reader].call;
    if (from.kernel != &kernel_info(kernel_id("gather_panels")) || from.ranges[0].region < kFirstStore || x < 0 ||
        from.ranges[2].region != kArena || !last.ranges[x].equals(from.ranges[2]) || read.dim[0] != gathered.dim[2] ||
        read.dim[1] != gathered.dim[1]) {
      return refused(where(), "a gather_panels from a store and a kernel that can replace its batch",
                     text(gather + 1) + " (" + from.kernel->name + ") and " + text(reader + 1) + " (" +
                         last.kernel->name + ")");
    }
    for (int64_t i = 0; i < calls; ++i) {
      if (i != gather && touches_batch(i, x)) {
        return refused(where(),
                       "nobody but readers until call " + text(reader + 1) + " to touch the batch to be replaced",
                       "call " + text(i + 1) + " (" + uses_[i].kernel->name + ")");
      }
    }
    program_.prefetch.next = {static_cast<const float*>(gathered.buffer[0]), nullptr,
                              static_cast<float*>(gathered.buffer[2])};
    return {};
  }

  // Whether call i uses the gathered batch otherwise than by reading it before its reader has replaced it, or as that.
  bool touches_batch(int64_t i, int x) const {
    const int64_t gather = program_.prefetch.gather, reader = program_.prefetch.reader;
    for (int b = 0; b < uses_[i].kernel->buffer_count; ++b) {
      if (!uses_[i].ranges[b].meets(uses_[gather].ranges[2])) continue;
      const bool reads = uses_[i].kernel->buffers[b].role == Role::in && i > gather;
      if (!reads || i > reader || (i == reader && b != x)) return true;
    }
    return false;
  }

  static int buffer_named(const KernelInfo& kernel, const char* name) {
    for (int b = 0; b < kernel.buffer_count; ++b) {
      if (kernel.buffers[b].name.text == std::string(name)) return b;
    }
    return -1;
  }

  Status number(const std::string& what, double& value) {
    if (at_ >= length_) return refused(where(), what, "the end of the program");
    value = code_[at_++];
    return {};
  }

  // An integer in [0, high]; `sign` -1: written with a minus.
  Status integer(const std::string& what, int64_t high, int64_t& value, int sign = 1) {
    double found = 0;
    Status status = number(what, found);
    if (!status.ok()) return status;
    found *= sign;
    if (!(found >= 0 && found <= static_cast<double>(high)) || found != std::floor(found)) {
      return refused(where(), what + " to be an integer from 0 to " + std::to_string(high), text(found));
    }
    value = static_cast<int64_t>(found);
    return {};
  }

  Status refuse(int b, const std::string& expected, const std::string& received) const {
    return refused(where(), std::string("buffer ") + kernel_->buffers[b].name.text + " " + expected, received);
  }

  std::string where() const {
    std::string place = "Plan: program " + std::to_string(index_);
    if (call_ >= 0) place += ", call " + std::to_string(call_);
    return kernel_ ? place + " (" + kernel_->name + ")" : place;
  }

  struct Note {
    size_t instruction;
    int buffer;
    MovingPointer moving;
  };

  // What a call touches.
  struct Use {
    const KernelInfo* kernel;
    Range ranges[kMaxBuffers];
  };

  const double* code_;
  size_t length_, at_ = 0;
  int index_, call_ = -1;
  const KernelInfo* kernel_ = nullptr;
  const Space& space_;
  Program& program_;
  std::vector<Note> notes_;
  std::vector<Use> uses_;
};

}  // namespace

int64_t element_size(Dtype dtype) { return dtype == Dtype::f64 ? 8 : 4; }

void set_rows(Program& program, int64_t rows) {
  if (program.rows == rows) return;
  program.rows = rows;
  for (const RowDim& row_dim : program.row_dims) {
    Instruction& instruction = program.instructions[row_dim.instruction];
    instruction.call.dim[row_dim.dim] = row_dim.per_row * rows;
    instruction.splits = worth_splitting(*instruction.kernel, instruction.call);
  }
}

Status decode_program(const double* code, size_t length, int index, const Space& space, Program& program) {
  return Decoder(code, length, index, space, program).decode();
}

}  // namespace anneal
