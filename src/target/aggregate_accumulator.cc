#include "target/aggregate_accumulator.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/json_writer.h"
#include "model/limits.h"

namespace tallyman {
namespace {

using Kind = Value::Kind;

// Digits of an average past the scale of its field.
constexpr int kAverageDigits = 6;

std::string float_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end.ptr);
}

// NaN and infinities are no JSON; empty for them.
std::string float_json(double value) {
  return std::isfinite(value) ? float_text(value) : std::string();
}

Decimal decimal_of(const RowValue& value) {
  return value.kind == Kind::kDecimal ? value.decimal : Decimal(value.integer);
}

bool is_exact(Kind kind) { return kind == Kind::kInteger || kind == Kind::kDecimal; }

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

// A key of several parts in one string: NULL, or length and text, one after the other.
void pack(const RowValue& value, std::string& key) {
  if (value.kind == Kind::kNull) {
    key += '\0';
    return;
  }
  key += '\1';
  const std::size_t at = key.size();
  key.append(sizeof(std::uint32_t), '\0');
  value.append_text(key);
  const auto size = static_cast<std::uint32_t>(key.size() - at - sizeof(std::uint32_t));
  std::memcpy(key.data() + at, &size, sizeof size);
}

std::vector<std::optional<std::string>> unpack(std::string_view key) {
  std::vector<std::optional<std::string>> parts;
  while (!key.empty()) {
    const bool null = key.front() == '\0';
    key.remove_prefix(1);
    if (null) {
      parts.emplace_back();
      continue;
    }
    std::uint32_t size = 0;
    std::memcpy(&size, key.data(), sizeof size);
    parts.emplace_back(key.substr(sizeof size, size));
    key.remove_prefix(sizeof size + size);
  }
  return parts;
}

}  // namespace

void RowValue::append_text(std::string& into) const {
  switch (kind) {
    case Kind::kNull: return;
    case Kind::kInteger: into += std::to_string(integer); return;
    case Kind::kDecimal: into += decimal.to_string(); return;
    case Kind::kFloat: into += float_text(real); return;
    case Kind::kBoolean: into += integer != 0 ? "true" : "false"; return;
    case Kind::kText:
    case Kind::kBytes: into += text; return;
  }
}

struct AggregateAccumulator::Group {
  std::uint64_t count = 0;  // Rows for count, values for the rest.
  Decimal sum;
  int scale = 0;  // Of the terms, where it is told apart from the sum's.
  std::unique_ptr<FloatSum> float_sum;
  RowValue extreme;  // Its text is in extreme_text.
  std::string extreme_text;
  std::uint64_t set = 0;
};

struct AggregateAccumulator::Ordered {
  std::vector<std::optional<std::string>> key;
  const Group* group;

  // Texts in order, NULL after them.
  static bool less(const Ordered& a, const Ordered& b) {
    for (std::size_t i = 0; i < a.key.size(); ++i) {
      if (a.key[i] == b.key[i]) continue;
      if (!a.key[i] || !b.key[i]) return a.key[i].has_value();
      return *a.key[i] < *b.key[i];
    }
    return false;
  }
};

AggregateAccumulator::AggregateAccumulator(const AggregateSpec& spec,
                                           const Resource& resource,
                                           DistinctValues& distinct,
                                           std::uint64_t first_set)
    : spec_(spec), distinct_(distinct), next_set_(first_set) {
  if (spec.field.empty()) return;
  const auto place = resource.field_place(spec.field);
  CHECK(place);
  field_ = &resource.fields[*place];
}

AggregateAccumulator::~AggregateAccumulator() = default;
AggregateAccumulator::AggregateAccumulator(AggregateAccumulator&&) noexcept = default;

void AggregateAccumulator::fail(std::string why) {
  if (error_.empty()) error_ = std::move(why);
}

AggregateAccumulator::Group* AggregateAccumulator::group_of(
    std::span<const RowValue* const> groups) {
  key_.clear();
  for (const RowValue* group : groups) pack(*group, key_);
  const auto found = groups_.find(key_);
  if (found != groups_.end()) return found->second.get();
  if (groups_.size() >= limits::kAggregateGroupsMax) {
    fail("more than " + std::to_string(limits::kAggregateGroupsMax) +
         " groups; group by fewer fields");
    return nullptr;
  }
  auto& made = groups_[key_];
  made = std::make_unique<Group>();
  made->set = next_set_++;
  return made.get();
}

Result<void> AggregateAccumulator::add(const RowValue& value,
                                       std::span<const RowValue* const> groups) {
  if (!error_.empty()) return {};
  Group* group = group_of(groups);
  if (!group) return {};
  return add_to(*group, value);
}

void AggregateAccumulator::add_totals(const GroupTotals& totals,
                                      std::span<const RowValue* const> groups) {
  if (!error_.empty()) return;
  Group* group = group_of(groups);
  if (!group) return;
  if (!totals.finite) fail("the result is not finite");
  if (totals.extreme.kind != Kind::kNull) add_extreme(*group, totals.extreme);
  group->count += totals.count - (totals.extreme.kind != Kind::kNull ? 1 : 0);
  group->sum += totals.sum;
  group->scale = std::max(group->scale, totals.scale);
}

void AggregateAccumulator::add_count(std::uint64_t rows) {
  if (spec_.type != AggregateType::kCount || !spec_.group_by.empty() || rows == 0) return;
  if (Group* group = group_of({})) group->count += rows;
}

Result<void> AggregateAccumulator::add_to(Group& group, const RowValue& value) {
  if (spec_.type == AggregateType::kCount) {
    ++group.count;
    return {};
  }
  if (value.kind == Kind::kNull) return {};
  switch (spec_.type) {
    case AggregateType::kCount:
    case AggregateType::kCustom: return {};
    case AggregateType::kSum:
    case AggregateType::kAvg: add_number(group, value); return {};
    case AggregateType::kMin:
    case AggregateType::kMax: add_extreme(group, value); return {};
    case AggregateType::kCountDistinct: {
      std::string text(
          1, static_cast<char>(is_exact(value.kind) ? Kind::kDecimal : value.kind));
      value.append_text(text);
      TALLY_TRY_ASSIGN(const bool is_new, distinct_.add(group.set, text));
      if (is_new) ++group.count;
      return {};
    }
  }
  CHECK(false);
}

void AggregateAccumulator::add_number(Group& group, const RowValue& value) {
  if (value.kind == Kind::kFloat) {
    if (!group.float_sum) group.float_sum = std::make_unique<FloatSum>();
    group.float_sum->add(value.real);
  } else if (is_exact(value.kind)) {
    group.sum += decimal_of(value);
  } else {
    fail("field \"" + spec_.field + "\": a row holds something that is no number");
    return;
  }
  ++group.count;
}

void AggregateAccumulator::add_extreme(Group& group, const RowValue& value) {
  const int sign = spec_.type == AggregateType::kMin ? 1 : -1;
  bool better = group.count == 0;
  if (!better) {
    const RowValue& best = group.extreme;
    std::partial_ordering order = std::partial_ordering::unordered;
    if (is_exact(best.kind) && is_exact(value.kind)) {
      order = decimal_of(value) <=> decimal_of(best);
    } else if (best.kind == Kind::kFloat && value.kind == Kind::kFloat) {
      order = value.real <=> best.real;
    } else if (best.kind == Kind::kText && value.kind == Kind::kText) {
      order = value.text <=> std::string_view(group.extreme_text);
    }
    if (order == std::partial_ordering::unordered) {
      fail("field \"" + spec_.field +
           "\": its rows hold values of different kinds, which have no order");
      return;
    }
    better = sign > 0 ? order < 0 : order > 0;
  }
  ++group.count;
  if (!better) return;
  group.extreme = value;
  group.extreme_text = value.text;
}

std::string AggregateAccumulator::average_of(const Group& group) const {
  const int scale = std::max({group.sum.scale(), group.scale, field_->scale.value_or(0)});
  return group.sum.divided(group.count, scale + kAverageDigits).to_string();
}

// Empty where it cannot be said in JSON.
std::string AggregateAccumulator::value_of(const Group& group) const {
  switch (spec_.type) {
    case AggregateType::kCount:
    case AggregateType::kCountDistinct: return std::to_string(group.count);
    case AggregateType::kSum:
    case AggregateType::kAvg: {
      if (group.count == 0) return "null";
      const bool average = spec_.type == AggregateType::kAvg;
      if (!group.float_sum) return average ? average_of(group) : group.sum.to_string();
      FloatSum total = *group.float_sum;
      total.add(group.sum.nearest_double());  // Whole numbers of an untyped column.
      const double sum = total.sum();
      return float_json(average ? sum / static_cast<double>(group.count) : sum);
    }
    case AggregateType::kMin:
    case AggregateType::kMax: {
      if (group.count == 0) return "null";
      RowValue value = group.extreme;
      if (value.kind == Kind::kFloat) return float_json(value.real);
      if (value.kind == Kind::kText) return json_text(group.extreme_text);
      if (value.kind == Kind::kBytes) return std::string();
      std::string text;
      value.append_text(text);
      return text;
    }
    case AggregateType::kCustom: break;
  }
  CHECK(false);
}

void AggregateAccumulator::append_groups(std::span<const Ordered> groups,
                                         std::size_t depth, std::string& out,
                                         std::string& error) const {
  if (depth == spec_.group_by.size()) {
    const std::string value = value_of(*groups.front().group);
    if (value.empty()) error = "the result is not finite";
    out += value;
    return;
  }
  out += '{';
  for (std::size_t begin = 0; begin < groups.size();) {
    const auto& part = groups[begin].key[depth];
    std::size_t end = begin + 1;
    while (end < groups.size() && groups[end].key[depth] == part) ++end;
    if (!part && begin > 0) {
      const bool clash =
          std::any_of(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(begin),
                      [&](const Ordered& other) { return other.key[depth] == "null"; });
      if (clash) {
        error = "field \"" + spec_.group_by[depth] +
                "\" holds both NULL and the text null, which would be one group";
      }
    }
    if (begin != 0) out += ',';
    append_json_string(out, part ? *part : "null");
    out += ':';
    append_groups(groups.subspan(begin, end - begin), depth + 1, out, error);
    begin = end;
  }
  out += '}';
}

AggregateResult AggregateAccumulator::finish() const {
  AggregateResult result{spec_.name, {}, error_};
  if (!result.error.empty()) return result;
  if (spec_.group_by.empty()) {
    const Group nothing;
    result.value = value_of(groups_.empty() ? nothing : *groups_.begin()->second);
    if (result.value.empty()) result.error = "the result is not finite";
    return result;
  }
  std::vector<Ordered> ordered;
  for (const auto& [key, group] : groups_) ordered.push_back({unpack(key), group.get()});
  std::sort(ordered.begin(), ordered.end(), Ordered::less);
  append_groups(ordered, 0, result.value, result.error);
  if (!result.error.empty()) result.value.clear();
  return result;
}

}  // namespace tallyman
