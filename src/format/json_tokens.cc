#include "format/json_tokens.h"

#include <simdjson.h>

#include <bit>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::size_t kDepthUnused = 1;  // Of the second stage, which is not run.

}  // namespace

class JsonTokens::Impl {
 public:
  Fault find(const char* bytes, std::size_t size) {
    if (!stage_ || stage_->capacity() < size) {
      CHECK(simdjson::get_active_implementation()->create_dom_parser_implementation(
                std::bit_ceil(size), kDepthUnused, stage_) == simdjson::SUCCESS);
    }
    const auto error = stage_->stage1(reinterpret_cast<const std::uint8_t*>(bytes), size,
                                      simdjson::stage1_mode::regular);
    switch (error) {
      case simdjson::SUCCESS: return Fault::kNone;
      case simdjson::EMPTY: stage_->n_structural_indexes = 0; return Fault::kNone;
      default: break;
    }
    // Of several faults, which one is reported depends on the processor: not here.
    if (!simdjson::validate_utf8(bytes, size)) return Fault::kNotUtf8;
    CHECK(error == simdjson::UNCLOSED_STRING || error == simdjson::UNESCAPED_CHARS);
    return error == simdjson::UNCLOSED_STRING ? Fault::kOpenString
                                              : Fault::kControlCharacter;
  }

  std::span<const std::uint32_t> places() const {
    return {stage_->structural_indexes.get(), stage_->n_structural_indexes};
  }

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
};

JsonTokens::JsonTokens() : impl_(std::make_unique<Impl>()) {}
JsonTokens::~JsonTokens() = default;

JsonTokens::Fault JsonTokens::find(const char* bytes, std::size_t size) {
  return impl_->find(bytes, size);
}

std::span<const std::uint32_t> JsonTokens::places() const { return impl_->places(); }

}  // namespace tallyman
