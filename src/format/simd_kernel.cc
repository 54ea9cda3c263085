#include "format/simd_kernel.h"

#include "base/check.h"

namespace tallyman {

std::string_view name(SimdKernel kernel) {
  switch (kernel) {
    case SimdKernel::kScalar: return "scalar";
    case SimdKernel::kSse2: return "sse2";
    case SimdKernel::kAvx2: return "avx2";
    case SimdKernel::kAvx512: return "avx512";
  }
  CHECK(false);
}

std::vector<SimdKernel> available_kernels() {
  std::vector<SimdKernel> kernels{SimdKernel::kScalar};
#if defined(__x86_64__)
  __builtin_cpu_init();
  kernels.push_back(SimdKernel::kSse2);
  if (__builtin_cpu_supports("avx2")) kernels.push_back(SimdKernel::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
    kernels.push_back(SimdKernel::kAvx512);
  }
#endif
  return kernels;
}

SimdKernel best_kernel() {
  static const SimdKernel kBest = available_kernels().back();
  return kBest;
}

}  // namespace tallyman
