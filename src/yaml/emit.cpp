// SPDX-License-Identifier: Apache-2.0
// Tree to YAML: block and flow collections. One thread.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "yaml/emit_scalar.h"
#include "yaml/layout.h"
#include "yaml/yaml.h"

namespace tanist::yaml {

namespace {

constexpr std::size_t indent_step = 2;

std::string real_text(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  auto text = to_json(Tree(value));
  const auto exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) {
    text.insert(exponent, ".0");  // 1e+16 would be read as a text
  }
  return text;
}

std::string plain_text(const Tree& scalar) {
  if (scalar.is_null()) return "null";
  if (const auto* truth = scalar.as_bool()) return *truth ? "true" : "false";
  if (const auto* real = scalar.as_real()) return real_text(*real);
  return to_json(scalar);
}

bool is_empty(const Tree& tree) {
  const auto* list = tree.as_list();
  const auto* map = tree.as_map();
  return (list != nullptr && list->empty()) || (map != nullptr && map->empty());
}

class Writer {
 public:
  explicit Writer(const YamlStyle& style)
      : out_(style.flow ? std::numeric_limits<std::ptrdiff_t>::max() / 2 : style.width) {}

  std::string block_document(const Tree& tree) {
    block(tree, Parent::none);
    const auto* text = tree.as_string();
    const bool open_ended =
        tree.is_scalar() && (text == nullptr || is_plain(*text, ScalarPlace::block_value));
    out_.line_break();
    return out_.take() + (open_ended ? "...\n" : "");
  }

  std::string flow_document(const Tree& tree) {
    flow(tree, ScalarPlace::block_key);  // a lone text: no break, and no brackets to protect
    return out_.take();
  }

 private:
  enum class Parent { none, map, list };

  static std::vector<const Tree::Entry*> sorted(const Tree::Map& map) {
    std::vector<const Tree::Entry*> entries;
    for (const auto& entry : map) entries.push_back(&entry);
    std::ranges::sort(entries, {},
                      [](const Tree::Entry* entry) { return std::string_view(entry->first); });
    return entries;
  }

  // Continuation lines of a scalar stand one step deeper than what holds it.
  void scalar(const Tree& tree, ScalarPlace place, Parent parent) {
    const auto indent = out_.indent();
    out_.set_indent(parent == Parent::none ? indent_step : indent + indent_step);
    if (const auto* text = tree.as_string()) {
      write_text(out_, *text, place);
    } else {
      out_.text(plain_text(tree));
    }
    out_.set_indent(indent);
  }

  void block(const Tree& tree, Parent parent) {
    if (is_empty(tree)) return flow(tree, ScalarPlace::flow_value);
    const auto* list = tree.as_list();
    const auto* map = tree.as_map();
    if (list == nullptr && map == nullptr) return scalar(tree, ScalarPlace::block_value, parent);
    // A list under a key is not indented.
    const bool flush =
        parent == Parent::none || (list != nullptr && parent == Parent::map && !out_.only_marks());
    const auto indent = out_.indent();
    out_.set_indent(flush ? indent : indent + indent_step);
    if (map != nullptr) {
      for (const auto* entry : sorted(*map)) block_entry(*entry);
    } else {
      for (const auto& item : *list) block_item(item);
    }
    out_.set_indent(indent);
  }

  void block_item(const Tree& item) {
    out_.to_indent();
    out_.block_mark(U'-');
    block(item, Parent::list);
  }

  void block_entry(const Tree::Entry& entry) {
    const auto& [key, value] = entry;
    out_.to_indent();
    if (is_simple_key(characters_of(key))) {
      scalar(Tree(key), ScalarPlace::block_key, Parent::map);
      out_.mark(U':', false);
    } else {
      out_.block_mark(U'?');
      scalar(Tree(key), ScalarPlace::block_value, Parent::map);
      out_.to_indent();
      out_.block_mark(U':');
    }
    block(value, Parent::map);
  }

  void flow(const Tree& tree, ScalarPlace place) {
    if (const auto* list = tree.as_list()) {
      out_.opening(U'[');
      bool first = true;
      for (const auto& item : *list) {
        separate(first);
        flow(item, ScalarPlace::flow_value);
      }
      out_.mark(U']', false);
    } else if (const auto* map = tree.as_map()) {
      out_.opening(U'{');
      bool first = true;
      for (const auto* entry : sorted(*map)) {
        separate(first);
        flow_entry(*entry);
      }
      out_.mark(U'}', false);
    } else {
      scalar(tree, place, Parent::map);
    }
  }

  void separate(bool& first) {
    if (!first) out_.mark(U',', false);
    first = false;
  }

  void flow_entry(const Tree::Entry& entry) {
    const bool simple = is_simple_key(characters_of(entry.first));
    if (!simple) out_.mark(U'?', true);
    scalar(Tree(entry.first), simple ? ScalarPlace::flow_key : ScalarPlace::flow_value,
           Parent::map);
    out_.mark(U':', !simple);
    flow(entry.second, ScalarPlace::flow_value);
  }

  Layout out_;
};

}  // namespace

std::string to_yaml(const Tree& tree, const YamlStyle& style) {
  Writer writer(style);
  return style.flow ? writer.flow_document(tree) : writer.block_document(tree);
}

}  // namespace tanist::yaml
