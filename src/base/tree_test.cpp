// SPDX-License-Identifier: Apache-2.0
// Tree: look-up, change, readers, and the deep patch of contract config 2.
#include "base/tree.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/json.h"

namespace tanist {
namespace {

Tree json(std::string_view text) { return *parse_json(text); }

std::string patched(std::string_view target, std::string_view patch) {
  Tree tree = json(target);
  deep_patch(tree, json(patch));
  return to_json(tree);
}

TEST(Tree, FindsByKeyAndByPath) {
  const auto tree = json(R"({"a":{"b":[1]},"c":null})");
  EXPECT_EQ(*tree.find_path({"a", "b"}), json("[1]"));
  EXPECT_EQ(tree.find_path({"a", "x"}), nullptr);
  EXPECT_EQ(tree.find_path({"a", "b", "x"}), nullptr);
  EXPECT_TRUE(tree.find("c")->is_null());
  EXPECT_EQ(Tree(1).find("a"), nullptr);
}

TEST(Tree, SetReplacesInPlaceAndAppends) {
  auto tree = json(R"({"a":1,"b":2})");
  tree.set("a", 3);
  tree.set("c", 4);
  EXPECT_EQ(to_json(tree), R"({"a":3,"b":2,"c":4})");
}

TEST(Tree, SetAndPushTurnAScalarIntoACollection) {
  Tree map(1);
  map.set("a", 1);
  EXPECT_EQ(to_json(map), R"({"a":1})");
  Tree list("x");
  list.push(1);
  EXPECT_EQ(to_json(list), "[1]");
}

TEST(Tree, EraseTellsWhetherTheKeyWasThere) {
  auto tree = json(R"({"a":1,"b":2,"c":3})");
  EXPECT_TRUE(tree.erase("b"));
  EXPECT_FALSE(tree.erase("b"));
  EXPECT_FALSE(Tree(1).erase("a"));
  EXPECT_EQ(to_json(tree), R"({"a":1,"c":3})");
}

TEST(Tree, TruthIsPythons) {
  for (const auto* text : {"null", "false", "0", "0.0", "\"\"", "[]", "{}"}) {
    EXPECT_FALSE(json(text).truthy()) << text;
  }
  for (const auto* text : {"true", "1", "-0.5", "\"false\"", "[null]", R"({"a":null})"}) {
    EXPECT_TRUE(json(text).truthy()) << text;
  }
}

TEST(Tree, TextFormIsPythonsStr) {
  EXPECT_EQ(text_form(Tree()), "None");
  EXPECT_EQ(text_form(true), "True");
  EXPECT_EQ(text_form(10), "10");
  EXPECT_EQ(text_form(1.5), "1.5");
  EXPECT_EQ(text_form(2.0), "2.0");
  EXPECT_EQ(text_form("a b"), "a b");
  EXPECT_EQ(text_form(json(R"([1,{"a":"x"}])")), R"([1,{"a":"x"}])");
}

TEST(TreeReaders, BooleansAreWordsInAnyCase) {
  for (const auto& tree : {Tree(true), Tree("on"), Tree("TRUE"), Tree("Yes"), Tree("1"), Tree(1)}) {
    EXPECT_EQ(to_bool(tree), true) << text_form(tree);
  }
  for (const auto& tree :
       {Tree(false), Tree("off"), Tree("False"), Tree("NO"), Tree("0"), Tree(0)}) {
    EXPECT_EQ(to_bool(tree), false) << text_form(tree);
  }
  for (const auto& tree : {Tree(), Tree("y"), Tree(2), Tree(1.0), Tree(""), Tree::list({true})}) {
    EXPECT_EQ(to_bool(tree), std::nullopt) << text_form(tree);
  }
}

TEST(TreeReaders, IntegersMayBeTexts) {
  EXPECT_EQ(to_int(30), 30);
  EXPECT_EQ(to_int("30"), 30);
  EXPECT_EQ(to_int("-5"), -5);
  EXPECT_EQ(to_int(2.9), 2);
  for (const auto& tree :
       {Tree("30s"), Tree(""), Tree("1.5"), Tree(), Tree(true), Tree("99999999999999999999"),
        Tree(1e30), Tree(std::numeric_limits<double>::quiet_NaN()), Tree::map()}) {
    EXPECT_EQ(to_int(tree), std::nullopt) << text_form(tree);
  }
}

TEST(DeepPatch, RecursesIntoMapsAndReplacesTheRest) {
  EXPECT_EQ(patched(R"({"a":{"b":1,"c":2},"l":[1,2]})", R"({"a":{"b":3},"l":[9]})"),
            R"({"a":{"b":3,"c":2},"l":[9]})");
  EXPECT_EQ(patched(R"({"a":{"b":1}})", R"({"a":5})"), R"({"a":5})");
  EXPECT_EQ(patched(R"({"a":5})", R"({"a":{"b":1}})"), R"({"a":{"b":1}})");
}

TEST(DeepPatch, NullRemovesWhatIsThere) {
  EXPECT_EQ(patched(R"({"a":1,"b":{"c":1,"d":2}})", R"({"a":null,"b":{"c":null},"x":null})"),
            R"({"b":{"d":2}})");
}

TEST(DeepPatch, EqualTextFormsCountAsUnchanged) {
  EXPECT_EQ(patched(R"({"a":10,"b":true})", R"({"a":"10","b":"True"})"), R"({"a":10,"b":true})");
  EXPECT_EQ(patched(R"({"a":true})", R"({"a":"on"})"), R"({"a":"on"})");
}

TEST(DeepPatch, ANewMapIsTakenAsItIs) {
  EXPECT_EQ(patched("{}", R"({"a":{"b":null}})"), R"({"a":{"b":null}})");
}

TEST(DeepPatch, TellsWhetherAnythingChanged) {
  auto tree = json(R"({"a":{"b":1}})");
  EXPECT_FALSE(deep_patch(tree, json(R"({"a":{"b":"1"},"c":null})")));
  EXPECT_FALSE(deep_patch(tree, json("[1]")));
  EXPECT_TRUE(deep_patch(tree, json(R"({"a":{"b":2}})")));
}

}  // namespace
}  // namespace tanist
