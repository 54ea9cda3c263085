// JsonSplitter: the Splitter of JSON (splitter.h says what ends a record).
//
//   [1, {"a": 2}]                       kElements ... kEnd
//   {"a": 1}                            the places of an object ... kEnd: one record
//   {"x": 1, "data": [{}, {}], "y": 2}  the places of an object, kElements inside it
//
// An object whose own syntax is wrong is kBroken: one record, as far as its brackets
// balance. Inside the envelope, which is not a record, the same is an error.
//
// Memory: the envelope, at most envelope_bytes_max.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "format/base_splitter.h"
#include "format/json_scanner.h"

namespace tallyman {

class JsonSplitter final : public BaseSplitter {
 public:
  explicit JsonSplitter(const SplitLimits& limits)
      : JsonSplitter(limits, PieceBuilder::Mark{}) {}

  static Result<std::unique_ptr<Splitter>> restore(const SplitLimits& limits,
                                                   std::string_view checkpoint);
  std::string checkpoint() const override;

 private:
  enum class Place {
    kStart,       // Before the first bracket.
    kElements,    // In the array of records.
    kKeyOrEnd,    // Behind the bracket of the top-level object.
    kKey,         // Behind a comma of that object.
    kInKey,       // In the quotes of a key.
    kColon,       // Behind a key.
    kValueStart,  // Behind a colon.
    kValue,       // In a value that is not the records.
    kMemberEnd,   // Behind the array of records of the envelope.
    kBroken,      // In an object that does not parse.
    kEnd,         // Behind the last bracket.
  };

  JsonSplitter(const SplitLimits& limits, const PieceBuilder::Mark& mark)
      : BaseSplitter(limits, mark) {}

  Result<void> consume(std::string_view bytes) override;
  Result<void> end() override;

  Result<std::size_t> consume_some(std::string_view bytes);
  Result<std::size_t> consume_elements(std::string_view bytes);
  void note_element(std::string_view part, std::uint64_t offset);
  Result<void> end_element(char byte, std::uint64_t offset);
  void add_record(std::uint64_t begin, std::uint64_t end);

  Result<std::size_t> consume_start(char byte);
  Result<std::size_t> consume_key_start(char byte);
  Result<std::size_t> consume_key(char byte);
  Result<std::size_t> consume_colon(char byte);
  Result<std::size_t> consume_value_start(char byte);
  Result<std::size_t> consume_value(std::string_view bytes);
  Result<std::size_t> consume_member_end(char byte);
  Result<std::size_t> consume_broken(std::string_view bytes);
  Result<std::size_t> break_object(char byte);
  void end_object(std::uint64_t end);

  bool key_is_data() const;
  Result<void> keep(std::string_view bytes);
  Result<void> end_member();
  Result<void> drop_members();
  Error envelope_too_large() const;
  Error unexpected(char byte, std::string_view wanted) const;

  Place place_ = Place::kStart;
  JsonScanner scanner_;

  // kElements. The element under way:
  std::optional<std::uint64_t> element_begin_;
  std::uint64_t element_end_ = 0;  // Behind its last byte that is not white space.
  bool needs_element_ = false;     // Behind a comma.
  bool resumed_ = false;           // Behind an element that is in a piece already.

  // The top-level object.
  bool is_object_ = false;
  bool is_envelope_ = false;
  bool has_data_ = false;  // A member "data" was seen.
  std::uint64_t object_begin_ = 0;
  std::string key_;  // As it is written, and no more of it than "data" could be.
  bool key_escaped_ = false;
  // What may be the envelope: its members but "data", and the member under way.
  std::string members_;
  std::string member_;
  std::size_t members_before_data_ = 0;  // Bytes of members_.
  bool members_too_large_ = false;

  std::array<std::uint32_t, JsonScanner::kBatchBytes> commas_;  // In the present batch.
};

}  // namespace tallyman
