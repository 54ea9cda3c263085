// SimdKernel: which of its instruction sets a processor is asked to use.
//
// Every kernel gives the same answers. Programs take best_kernel(); tests go through
// available_kernels().
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tallyman {

enum class SimdKernel : std::uint8_t { kScalar, kSse2, kAvx2, kAvx512 };

std::string_view name(SimdKernel kernel);  // "avx2"

// What this processor has, slowest first; kScalar is always there.
std::vector<SimdKernel> available_kernels();

SimdKernel best_kernel();

}  // namespace tallyman
