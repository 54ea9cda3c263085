#include "model/resource.h"

#include <gtest/gtest.h>

#include <set>

#include "model/test_resource.h"

namespace tallyman {
namespace {

TEST(Resource, FindsFieldsByTheirExactName) {
  const Resource resource = make_test_resource();
  EXPECT_EQ(resource.field_place("id"), 0u);
  EXPECT_EQ(resource.field_place("category"), 3u);
  EXPECT_EQ(resource.field_place("a.b"), 8u);
  EXPECT_EQ(resource.field_place("ID"), std::nullopt);
  EXPECT_EQ(resource.field_place("category__startswith"), std::nullopt);
  EXPECT_EQ(resource.field_place(""), std::nullopt);
  EXPECT_EQ(resource.field_names().size(), resource.fields.size());
  EXPECT_EQ(resource.field_names()[4], "day");
}

TEST(Resource, FindsAKeyOfExactlyTheseFieldsInAnyOrder) {
  const Resource resource = make_test_resource();
  EXPECT_EQ(resource.key_of({"id"}), &resource.keys[0]);
  EXPECT_EQ(resource.key_of({"category", "day"}), &resource.keys[1]);
  EXPECT_EQ(resource.key_of({"day", "category"}), &resource.keys[1]);
  EXPECT_EQ(resource.key_of({"category"}), nullptr);
  EXPECT_EQ(resource.key_of({"category", "day", "id"}), nullptr);
  EXPECT_EQ(resource.key_of({"day", "day"}), nullptr);
  EXPECT_EQ(resource.key_of({"id", "id"}), nullptr);
  EXPECT_EQ(resource.key_of({"sku__startswith"}), nullptr);
  EXPECT_EQ(resource.key_of({}), nullptr);
}

TEST(Resource, HasAPrimaryKeyOnlyWhereTheFirstKeyIsOne) {
  Resource resource = make_test_resource();
  EXPECT_EQ(resource.primary_key(), &resource.keys[0]);
  resource.keys.erase(resource.keys.begin());
  EXPECT_EQ(resource.primary_key(), nullptr);
  resource.keys.clear();
  EXPECT_EQ(resource.primary_key(), nullptr);
}

TEST(Field, IsRequiredWhereNothingElseGivesItAValue) {
  Field field = make_field("amount", FieldType::kDecimal);
  EXPECT_FALSE(field.required());
  field.nullable = false;
  EXPECT_TRUE(field.required());
  field.has_default = true;
  EXPECT_FALSE(field.required());
  field.has_default = false;
  field.generated = true;
  EXPECT_FALSE(field.required());
}

TEST(Field, IsWritableUnlessGeneratedOrReadOnly) {
  Field field = make_field("amount", FieldType::kDecimal);
  EXPECT_TRUE(field.writable());
  field.read_only = true;
  EXPECT_FALSE(field.writable());
  field.read_only = false;
  field.generated = true;
  EXPECT_FALSE(field.writable());
}

TEST(FieldType, EachHasItsOwnName) {
  std::set<std::string_view> names;
  for (int number = 0; number <= static_cast<int>(FieldType::kAny); ++number) {
    names.insert(name(static_cast<FieldType>(number)));
  }
  EXPECT_EQ(names.size(), 12u);
  EXPECT_EQ(name(FieldType::kInteger), "integer");
  EXPECT_EQ(name(FieldType::kAny), "any");
}

}  // namespace
}  // namespace tallyman
