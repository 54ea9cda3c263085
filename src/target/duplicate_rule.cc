#include "target/duplicate_rule.h"

#include <algorithm>

#include "base/check.h"

namespace tallyman {

Result<DuplicateRule> DuplicateRule::make(OnDuplicate rule, KeyTable* keys,
                                          const BoundWindow& window) {
  if (rule == OnDuplicate::kSequence) return DuplicateRule(rule, {});
  CHECK(keys);
  TALLY_TRY_ASSIGN(auto occurrences, keys->find(window));
  return DuplicateRule(rule, std::move(occurrences));
}

const char* DuplicateRule::reason(std::size_t i, std::int64_t record) const {
  if (rule_ == OnDuplicate::kSequence || occurrences_[i].count < 2) return nullptr;
  const KeyTable::Occurrences& key = occurrences_[i];
  switch (rule_) {
    case OnDuplicate::kSequence: return nullptr;
    case OnDuplicate::kFirst: {
      const bool before =
          key.last_applied_record != 0 && key.last_applied_record < record;
      return before || applied_.contains(key.first_record)
                 ? "an earlier record of the upload has this key"
                 : nullptr;
    }
    case OnDuplicate::kLast:
      return record == key.last_record ? nullptr
                                       : "a later record of the upload has this key";
    case OnDuplicate::kError: return "another record of the upload has this key";
  }
  CHECK(false);
}

bool DuplicateRule::has_dependent() const {
  return rule_ == OnDuplicate::kFirst &&
         std::any_of(occurrences_.begin(), occurrences_.end(),
                     [](const auto& key) { return key.count > 1; });
}

void DuplicateRule::applied(std::size_t i) {
  if (rule_ != OnDuplicate::kFirst || occurrences_[i].count < 2) return;
  applied_.insert(occurrences_[i].first_record);  // Each key has its own.
}

}  // namespace tallyman
