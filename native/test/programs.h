// Programs written by hand, as TypeScript would lay them out, for the plan's tests.
#pragma once

#include <string.h>

#include <initializer_list>
#include <memory>
#include <vector>

#include "../plan/executor.h"

namespace anneal::test {

// A buffer's place.
struct At {
  double region, offset;
};

inline At none() { return {kAbsent, 0}; }
inline At arena(double offset) { return {kArena, offset}; }
inline At order(double offset) { return {kOrder, offset}; }
inline At scalars(double offset) { return {kScalars, offset}; }
inline At losses(double offset) { return {kLosses, offset}; }
inline At counts(double offset) { return {kCounts, offset}; }
inline At draws(double offset) { return {kDraws, offset}; }
inline At store(double number, double offset) { return {kFirstStore + number, offset}; }

// A block of an exchange.
struct BlockNumbers {
  double offset, words, stride, times, peer = 0;

  BlockNumbers with(double peer) const { return {offset, words, stride, times, peer}; }
};
using Blocks = std::vector<BlockNumbers>;

class Code {
 public:
  // Elements per step of order, scalars, losses, counts and draws; of those not named, none.
  Code(std::initializer_list<double> per_step) : numbers(per_step) { numbers.resize(kHeader); }

  // Has call `reader` fetch the next batch in place of call `gather`, both counted from 1.
  Code& prefetch(double gather, double reader) {
    numbers[kMovingRegions] = gather;
    numbers[kMovingRegions + 1] = reader;
    return *this;
  }

  // Has it compute up to so many rows.
  Code& rows(double most) {
    numbers[kHeaderFields - 1] = most;
    return *this;
  }

  // `rest`: dims, then scalars.
  Code& call(const char* kernel, std::initializer_list<At> buffers, std::initializer_list<double> rest) {
    numbers.push_back(kernel_id(kernel));
    for (const At& at : buffers) {
      numbers.push_back(at.region);
      numbers.push_back(at.offset);
    }
    numbers.insert(numbers.end(), rest);
    return *this;
  }

  Code& exchange(const Blocks& sends, const Blocks& receives) {
    raw({0, static_cast<double>(sends.size()), static_cast<double>(receives.size())});
    for (const Blocks* blocks : {&sends, &receives}) {
      for (const auto& [offset, words, stride, times, peer] : *blocks) {
        numbers.insert(numbers.end(), {peer, offset, words, stride, times});
      }
    }
    return *this;
  }

  Code& arrival(double i) { return raw({1, i}); }

  // A call that is no kernel's: its first number counts on from the kernels' ids.
  Code& raw(std::initializer_list<double> call) {
    const size_t at = numbers.size();
    numbers.insert(numbers.end(), call);
    numbers[at] += kernel_count();
    return *this;
  }

  static constexpr size_t kHeader = kHeaderFields;

  std::vector<double> numbers;
};

// Adds a program to a plan.
inline Status add_program(Plan& plan, const std::vector<double>& code) {
  Program program;
  Status status = decode_program(code.data(), code.size(), static_cast<int>(plan.programs.size()), plan.space, program);
  if (status.ok()) plan.programs.push_back(std::move(program));
  return status;
}

// A plan with an arena of `words` and stores of 64 elements: float32 0.25, 0.5, ..., int32 0, 1, 2, 0, ..., and bytes
// of 0.
inline std::unique_ptr<Plan> make_plan(int64_t words) {
  auto plan = std::make_unique<Plan>();
  plan->space.arena = std::make_shared<Arena>(words * kWord);
  for (Dtype dtype : {Dtype::f32, Dtype::i32}) {
    auto store = std::make_shared<Store>(dtype, 64);
    for (int i = 0; i < 64; ++i) {
      const float value = 0.25f * static_cast<float>(i % 9);
      const int32_t label = i % 3;
      memcpy(store->data + 4 * i, dtype == Dtype::f32 ? static_cast<const void*>(&value) : &label, 4);
    }
    plan->space.stores.push_back(store);
  }
  plan->space.stores.push_back(std::make_shared<Store>(Dtype::u8, 64));
  return plan;
}

}  // namespace anneal::test
