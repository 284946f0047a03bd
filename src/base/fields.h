// SPDX-License-Identifier: Apache-2.0
// The fields of a struct, listed once: `static constexpr auto fields()` returns a tuple of
// field("name", &T::member). Tree form (journal, status, simulator story), reading back, and
// equality of two structs' texts derive from it. Enumerations list their names once, in
// `names_of(E)`, found by argument-dependent look-up. Any thread.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "base/tree.h"

namespace tanist {

template <class T, class Member>
struct Field {
  std::string_view name;
  Member T::* member;
};

template <class T, class Member>
constexpr Field<T, Member> field(std::string_view name, Member T::* member) {
  return {name, member};
}

template <class T>
concept HasFields = requires { T::fields(); };

// ---- Enumerations -------------------------------------------------------------------------

template <class E>
using EnumName = std::pair<E, std::string_view>;

template <class E>
concept HasNames = std::is_enum_v<E> && requires(E value) { names_of(value); };

// The name of an enumerator; every enumerator must be listed in names_of().
template <HasNames E>
constexpr std::string_view name_of(E value) {
  for (const auto& [candidate, name] : names_of(E{})) {
    if (candidate == value) return name;
  }
  return "?";
}

template <HasNames E>
constexpr std::optional<E> from_name(std::string_view text) {
  for (const auto& [value, name] : names_of(E{})) {
    if (name == text) return value;
  }
  return std::nullopt;
}

// ---- Are all members listed? ---------------------------------------------------------------

namespace detail {

struct AnyValue {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), AnyValue{})...}; };
}

template <class T>
inline constexpr bool is_strong = false;
template <class Tag, class T>
inline constexpr bool is_strong<Strong<Tag, T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_set = false;
template <class T>
inline constexpr bool is_set<std::set<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class K, class V>
inline constexpr bool is_map<std::map<K, V>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_shared = false;
template <class T>
inline constexpr bool is_shared<std::shared_ptr<const T>> = true;
template <class T>
inline constexpr bool is_time_point = false;
template <class C, class D>
inline constexpr bool is_time_point<std::chrono::time_point<C, D>> = true;
template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;

}  // namespace detail

// Put after a struct: static_assert(lists_all_fields<T>).
template <HasFields T>
inline constexpr bool lists_all_fields =
    detail::takes<T>(std::make_index_sequence<std::tuple_size_v<decltype(T::fields())>>{}) &&
    !detail::takes<T>(std::make_index_sequence<std::tuple_size_v<decltype(T::fields())> + 1>{});

// ---- To a Tree -----------------------------------------------------------------------------

// Absent optionals and null pointers are left out of maps; alternatives of a variant are a map of
// one entry, named by the alternative's `static constexpr std::string_view name`; an alternative
// that is a variant itself stands for its own alternatives.
template <class T>
Tree to_tree(const T& value);

namespace detail {

template <class T>
void put_field(Tree& out, std::string_view name, const T& value) {
  Tree tree = to_tree(value);
  if constexpr (is_optional<T> || is_shared<T>) {
    if (tree.is_null()) return;
  }
  out.as_map()->emplace_back(std::string(name), std::move(tree));
}

template <HasFields T>
Tree struct_to_tree(const T& value) {
  Tree out = Tree::map();
  std::apply([&](const auto&... each) { (put_field(out, each.name, value.*(each.member)), ...); },
             T::fields());
  return out;
}

template <class T>
Tree sequence_to_tree(const T& values) {
  Tree out = Tree::list();
  for (const auto& value : values) out.push(to_tree(static_cast<typename T::value_type>(value)));
  return out;
}

template <class T>
Tree variant_to_tree(const T& value) {
  return std::visit(
      [](const auto& alternative) {
        using A = std::decay_t<decltype(alternative)>;
        if constexpr (is_variant<A>) {
          return to_tree(alternative);
        } else {
          return Tree::map({{std::string(A::name), to_tree(alternative)}});
        }
      },
      value);
}

template <class T>
std::string key_text(const T& key) {
  if constexpr (is_strong<T>) {
    return key_text(key.value());
  } else if constexpr (HasNames<T>) {
    return std::string(name_of(key));
  } else {
    static_assert(std::is_same_v<T, std::string>, "map keys are strings, names or enumerators");
    return key;
  }
}

}  // namespace detail

template <class T>
Tree to_tree(const T& value) {
  using namespace detail;
  if constexpr (std::is_same_v<T, Tree> || std::is_same_v<T, SharedTree>) {
    return value;
  } else if constexpr (HasFields<T>) {
    return struct_to_tree(value);
  } else if constexpr (HasNames<T>) {
    return Tree(name_of(value));
  } else if constexpr (is_strong<T>) {
    return to_tree(value.value());
  } else if constexpr (is_optional<T> || is_shared<T>) {
    return value ? to_tree(*value) : Tree();
  } else if constexpr (is_vector<T> || is_set<T>) {
    return sequence_to_tree(value);
  } else if constexpr (is_map<T>) {
    Tree out = Tree::map();
    for (const auto& [key, item] : value) out.set(key_text(key), to_tree(item));
    return out;
  } else if constexpr (is_variant<T>) {
    return variant_to_tree(value);
  } else if constexpr (is_time_point<T>) {
    return Tree(static_cast<std::int64_t>(value.time_since_epoch().count()));
  } else if constexpr (is_duration<T>) {
    return Tree(static_cast<std::int64_t>(value.count()));
  } else if constexpr (std::is_same_v<T, bool> || std::is_convertible_v<T, std::string_view>) {
    return Tree(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return Tree(static_cast<double>(value));
  } else {
    static_assert(std::is_integral_v<T>, "this type has no Tree form");
    return Tree(static_cast<std::int64_t>(value));
  }
}

// ---- And back ------------------------------------------------------------------------------

// False when `tree` has another shape; `value` is then partly filled and must be dropped. A field
// that is missing keeps its default; unknown entries are ignored.
template <class T>
bool from_tree(const Tree& tree, T& value);

namespace detail {

template <class T>
bool take_field(const Tree& tree, std::string_view name, T& value) {
  const auto* found = tree.find(name);
  return found == nullptr || from_tree(*found, value);
}

template <HasFields T>
bool struct_from_tree(const Tree& tree, T& value) {
  if (!tree.is_map()) return false;
  return std::apply(
      [&](const auto&... each) {
        return (take_field(tree, each.name, value.*(each.member)) && ...);
      },
      T::fields());
}

template <class T>
bool sequence_from_tree(const Tree& tree, T& values) {
  const auto* list = tree.as_list();
  if (list == nullptr) return false;
  values.clear();
  for (const auto& item : *list) {
    typename T::value_type value{};
    if (!from_tree(item, value)) return false;
    values.insert(values.end(), std::move(value));
  }
  return true;
}

template <class K>
std::optional<K> key_from_text(const std::string& text) {
  if constexpr (HasNames<K>) {
    return from_name<K>(text);
  } else {
    return K(text);
  }
}

template <class T>
bool map_from_tree(const Tree& tree, T& values) {
  const auto* map = tree.as_map();
  if (map == nullptr) return false;
  values.clear();
  for (const auto& [name, item] : *map) {
    typename T::mapped_type value{};
    const auto key = key_from_text<typename T::key_type>(name);
    if (!key || !from_tree(item, value)) return false;
    values.emplace(*key, std::move(value));
  }
  return true;
}

template <class... A>
bool variant_from_tree(const Tree& tree, std::variant<A...>& value) {
  const auto* map = tree.as_map();
  if (map == nullptr || map->size() != 1) return false;
  const auto& [name, content] = map->front();
  const auto try_one = [&]<class T>(std::type_identity<T>) {
    T alternative{};
    if constexpr (is_variant<T>) {
      if (!variant_from_tree(tree, alternative)) return false;
    } else {
      if (name != T::name || !from_tree(content, alternative)) return false;
    }
    value = std::move(alternative);
    return true;
  };
  return (try_one(std::type_identity<A>{}) || ...);
}

template <class T>
bool integer_from_tree(const Tree& tree, T& value) {
  const auto* number = tree.as_int();
  if (number == nullptr) return false;
  if constexpr (sizeof(T) < sizeof(*number)) {
    if (!std::in_range<T>(*number)) return false;
  }
  value = static_cast<T>(*number);
  return true;
}

}  // namespace detail

template <class T>
bool from_tree(const Tree& tree, T& value) {
  using namespace detail;
  if constexpr (std::is_same_v<T, Tree> || std::is_same_v<T, SharedTree>) {
    value = tree;
    return true;
  } else if constexpr (HasFields<T>) {
    return struct_from_tree(tree, value);
  } else if constexpr (HasNames<T>) {
    const auto* text = tree.as_string();
    const auto found = text != nullptr ? from_name<T>(*text) : std::nullopt;
    if (found) value = *found;
    return found.has_value();
  } else if constexpr (is_strong<T>) {
    typename T::Value inner{};
    if (!from_tree(tree, inner)) return false;
    value = T(std::move(inner));
    return true;
  } else if constexpr (is_optional<T>) {
    if (tree.is_null()) return true;
    return from_tree(tree, value.emplace());
  } else if constexpr (is_shared<T>) {
    if (tree.is_null()) return true;
    auto made = std::make_shared<std::remove_const_t<typename T::element_type>>();
    const bool good = from_tree(tree, *made);
    value = std::move(made);
    return good;
  } else if constexpr (is_vector<T> || is_set<T>) {
    return sequence_from_tree(tree, value);
  } else if constexpr (is_map<T>) {
    return map_from_tree(tree, value);
  } else if constexpr (is_variant<T>) {
    return variant_from_tree(tree, value);
  } else if constexpr (is_time_point<T>) {
    typename T::duration::rep count{};
    const bool good = integer_from_tree(tree, count);
    value = T(typename T::duration(count));
    return good;
  } else if constexpr (is_duration<T>) {
    typename T::rep count{};
    const bool good = integer_from_tree(tree, count);
    value = T(count);
    return good;
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto* truth = tree.as_bool();
    if (truth != nullptr) value = *truth;
    return truth != nullptr;
  } else if constexpr (std::is_same_v<T, std::string>) {
    const auto* text = tree.as_string();
    if (text != nullptr) value = *text;
    return text != nullptr;
  } else if constexpr (std::is_floating_point_v<T>) {
    const auto* real = tree.as_real();
    const auto* number = tree.as_int();
    if (real != nullptr) value = *real;
    if (number != nullptr) value = static_cast<T>(*number);
    return real != nullptr || number != nullptr;
  } else {
    return integer_from_tree(tree, value);
  }
}

}  // namespace tanist
