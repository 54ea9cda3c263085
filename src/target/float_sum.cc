#include "target/float_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace tallyman {
namespace {

constexpr int kMantissaBits = 53;
constexpr int kLowestExponent = -1074;
// Each addition adds less than 2^32 to a limb of 63 bits.
constexpr std::uint32_t kUncarriedMax = 1U << 30;
constexpr std::uint64_t kLimbMask = 0xFFFF'FFFF;

}  // namespace

void FloatSum::add(double value) {
  if (!std::isfinite(value)) {
    special_ += value;
    return;
  }
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent_field = static_cast<int>((bits >> 52) & 0x7FF);
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
  int position = 0;  // Of the mantissa's lowest bit, from 2^-1074.
  if (exponent_field != 0) {
    mantissa |= std::uint64_t{1} << 52;
    position = exponent_field - 1;
  }
  const auto limb = static_cast<std::size_t>(position / kLimbBits);
  const int shift = position % kLimbBits;
  const std::uint64_t low = (mantissa & kLimbMask) << shift;
  const std::uint64_t high = (mantissa >> kLimbBits) << shift;
  const std::int64_t sign = std::signbit(value) ? -1 : 1;
  limbs_[limb] += sign * static_cast<std::int64_t>(low & kLimbMask);
  limbs_[limb + 1] +=
      sign * static_cast<std::int64_t>((low >> kLimbBits) + (high & kLimbMask));
  limbs_[limb + 2] += sign * static_cast<std::int64_t>(high >> kLimbBits);
  if (++uncarried_ >= kUncarriedMax) {
    carry(limbs_);
    uncarried_ = 0;
  }
}

// Afterwards all but the highest limb are in [0, 2^32).
void FloatSum::carry(Limbs& limbs) {
  for (std::size_t i = 0; i + 1 < kLimbs; ++i) {
    limbs[i + 1] += limbs[i] >> kLimbBits;
    limbs[i] &= static_cast<std::int64_t>(kLimbMask);
  }
}

double FloatSum::sum() const {
  if (special_ != 0) return special_;
  Limbs limbs = limbs_;
  carry(limbs);
  const bool negative = limbs.back() < 0;
  if (negative) {
    for (std::int64_t& limb : limbs) limb = -limb;
    carry(limbs);
  }

  std::size_t top = kLimbs;
  while (top > 0 && limbs[top - 1] == 0) --top;
  if (top == 0) return 0;
  const auto bit = [&](int place) {
    return (static_cast<std::uint64_t>(
                limbs[static_cast<std::size_t>(place / kLimbBits)]) >>
            (place % kLimbBits)) &
           1;
  };
  const int highest = static_cast<int>(top - 1) * kLimbBits +
                      std::bit_width(static_cast<std::uint64_t>(limbs[top - 1])) - 1;
  const int lowest = std::max(highest - kMantissaBits + 1, 0);
  std::uint64_t mantissa = 0;
  for (int place = highest; place >= lowest; --place)
    mantissa = mantissa << 1 | bit(place);

  if (lowest > 0 && bit(lowest - 1) == 1) {
    bool more = false;
    for (int place = lowest - 2; place >= 0 && !more; --place) more = bit(place) == 1;
    if (more || mantissa % 2 == 1) ++mantissa;
  }
  const double magnitude =
      std::ldexp(static_cast<double>(mantissa), lowest + kLowestExponent);
  return negative ? -magnitude : magnitude;
}

}  // namespace tallyman
