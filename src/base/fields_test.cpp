// SPDX-License-Identifier: Apache-2.0
// Structs that list their fields: to a Tree and back.
#include "base/fields.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tanist {
namespace {

enum class Colour { red, green };
constexpr auto names_of(Colour) {
  return std::array{EnumName<Colour>{Colour::red, "red"}, EnumName<Colour>{Colour::green, "green"}};
}

using Name = Strong<struct NameTag, std::string>;

struct Round {
  static constexpr std::string_view name = "round";
  int radius = 0;
  static constexpr auto fields() { return std::tuple{field("radius", &Round::radius)}; }
};
struct Flat {
  static constexpr std::string_view name = "flat";
  static constexpr auto fields() { return std::tuple{}; }
};

struct Everything {
  bool truth = false;
  std::int64_t number = 0;
  double real = 0;
  std::string text;
  Name name;
  Colour colour = Colour::red;
  std::optional<int> maybe;
  std::vector<std::string> list;
  std::set<Name> set;
  std::map<Name, int> map;
  std::variant<Flat, Round> shape;
  std::shared_ptr<const Round> shared;
  seconds duration{0};
  Instant instant;
  Tree tree;

  static constexpr auto fields() {
    using E = Everything;
    return std::tuple{
        field("truth", &E::truth),       field("number", &E::number),   field("real", &E::real),
        field("text", &E::text),         field("name", &E::name),       field("colour", &E::colour),
        field("maybe", &E::maybe),       field("list", &E::list),       field("set", &E::set),
        field("map", &E::map),           field("shape", &E::shape),     field("shared", &E::shared),
        field("duration", &E::duration), field("instant", &E::instant), field("tree", &E::tree)};
  }
};
static_assert(lists_all_fields<Everything>);

struct Forgetful {
  int a = 0;
  int b = 0;
  static constexpr auto fields() { return std::tuple{field("a", &Forgetful::a)}; }
};
static_assert(!lists_all_fields<Forgetful>);

Everything example() {
  Everything value;
  value.truth = true;
  value.number = -3;
  value.real = 1.5;
  value.text = "x";
  value.name = Name("n");
  value.colour = Colour::green;
  value.maybe = 7;
  value.list = {"a", "b"};
  value.set = {Name("s")};
  value.map = {{Name("k"), 1}};
  value.shape = Round{2};
  value.shared = std::make_shared<Round>(Round{3});
  value.duration = seconds(9);
  value.instant = Instant(seconds(1));
  value.tree = Tree::map({{"t", 1}});
  return value;
}

constexpr auto example_json =
    R"({"truth":true,"number":-3,"real":1.5,"text":"x","name":"n","colour":"green","maybe":7,)"
    R"("list":["a","b"],"set":["s"],"map":{"k":1},"shape":{"round":{"radius":2}},)"
    R"("shared":{"radius":3},"duration":9,"instant":1000000000,"tree":{"t":1}})";

TEST(Fields, EveryKindHasATreeForm) { EXPECT_EQ(to_json(to_tree(example())), example_json); }

TEST(Fields, AreReadBack) {
  Everything value;
  ASSERT_TRUE(from_tree(*parse_json(example_json), value));
  EXPECT_EQ(to_json(to_tree(value)), example_json);
}

TEST(Fields, AbsentOptionalsAreLeftOut) {
  const auto tree = to_tree(Everything());
  EXPECT_EQ(tree.find("maybe"), nullptr);
  EXPECT_EQ(tree.find("shared"), nullptr);
}

TEST(Fields, MissingEntriesKeepTheirDefaultAndUnknownOnesAreIgnored) {
  auto value = example();
  ASSERT_TRUE(from_tree(*parse_json(R"({"number":5,"unheard":[1]})"), value));
  EXPECT_EQ(value.number, 5);
  EXPECT_EQ(value.text, "x");
}

TEST(Fields, AnotherShapeIsRefused) {
  for (const auto* text :
       {"1", "[]", R"({"truth":1})", R"({"number":"5"})", R"({"text":5})", R"({"colour":"blue"})",
        R"({"list":"a"})", R"({"list":[1]})", R"({"map":[]})", R"({"shape":{"cube":{}}})",
        R"({"shape":{"round":{},"flat":{}}})", R"({"maybe":"x"})", R"({"duration":"9"})",
        R"({"shared":[]})", R"({"real":"1"})"}) {
    Everything value;
    EXPECT_FALSE(from_tree(*parse_json(text), value)) << text;
  }
}

TEST(Fields, NumbersThatDoNotFitAreRefused) {
  Round round;
  EXPECT_FALSE(from_tree(*parse_json(R"({"radius":4294967296})"), round));
  EXPECT_TRUE(from_tree(*parse_json(R"({"radius":-2147483648})"), round));
}

struct Other {
  static constexpr std::string_view name = "other";
  static constexpr auto fields() { return std::tuple{}; }
};

TEST(Fields, AVariantInAVariantStandsForItsAlternatives) {
  using Inner = std::variant<Flat, Round>;
  using Outer = std::variant<Inner, Other>;
  const Outer before = Inner(Round{5});
  const auto tree = to_tree(before);
  EXPECT_EQ(to_json(tree), R"({"round":{"radius":5}})");
  Outer after = Other{};
  ASSERT_TRUE(from_tree(tree, after));
  EXPECT_EQ(std::get<Round>(std::get<Inner>(after)).radius, 5);
  ASSERT_TRUE(from_tree(to_tree(Outer(Other{})), after));
  EXPECT_TRUE(std::holds_alternative<Other>(after));
  EXPECT_FALSE(from_tree(*parse_json(R"({"cube":{}})"), after));
}

TEST(EnumNames, MapBothWays) {
  EXPECT_EQ(name_of(Colour::green), "green");
  EXPECT_EQ(from_name<Colour>("red"), Colour::red);
  EXPECT_EQ(from_name<Colour>("Red"), std::nullopt);
}

}  // namespace
}  // namespace tanist
