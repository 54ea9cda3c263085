// FloatSum: the sum of doubles, correctly rounded, whatever their order.
//
// Keeps the exact sum as a fixed-point number of 2,200 bits (every double is a whole
// multiple of 2^-1074), and rounds once, at the end.
//
// Threads: a plain value. Memory: 560 bytes.
#pragma once

#include <array>
#include <cstdint>

namespace tallyman {

class FloatSum {
 public:
  void add(double value);

  // The double nearest to the exact sum (half to even); an infinity where it is larger.
  // NaN after a NaN or infinities of both signs, the infinity after one of them.
  double sum() const;

 private:
  static constexpr int kLimbBits = 32;
  static constexpr std::size_t kLimbs = 70;
  using Limbs = std::array<std::int64_t, kLimbs>;

  static void carry(Limbs& limbs);

  // The value is the sum of limbs_[i] * 2^(32 i - 1074); each may be negative and larger
  // than its place until carried.
  Limbs limbs_{};
  std::uint32_t uncarried_ = 0;
  double special_ = 0;  // Infinities and NaNs, added up.
};

}  // namespace tallyman
