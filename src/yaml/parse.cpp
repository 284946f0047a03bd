// SPDX-License-Identifier: Apache-2.0
// YAML text to Tree through yaml-cpp's events (the only file that includes it). yaml-cpp builds
// nothing itself, so depth, copies of aliases and size are bounded while it reads. Pure; any
// thread.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "yaml/characters.h"
#include "yaml/scalar.h"
#include "yaml/source_text.h"
#include "yaml/yaml.h"

namespace tanist::yaml {

namespace {

using YAML::anchor_t;
using YAML::Mark;

constexpr std::size_t scalar_bytes_max = 4 * yaml_bytes_max;  // copies of aliases included
constexpr std::size_t path_bytes_max = 512;                   // longer paths are no options

// Thrown from within an event; ends the reading.
struct Refusal {
  Mark mark;
  std::string cause;
};

// What a finished value costs when an alias copies it.
struct Extent {
  std::size_t values = 1;
  std::size_t bytes = 0;
  std::size_t depth = 0;  // of lists and maps

  void add(const Extent& child) {
    values += child.values;
    bytes += child.bytes;
    depth = std::max(depth, child.depth + 1);
  }
};

struct Value {
  Tree tree;
  Extent extent;
};

// A key as the loader of the store's JSON would see it: true, 1, null, the text itself.
std::string key_text(const Tree& key) {
  const auto* text = key.as_string();
  return text != nullptr ? *text : to_json(key);
}

constexpr std::string_view standard_tags = "tag:yaml.org,2002:";

std::optional<Tree> tagged_value(std::string_view tag, const std::string& text) {
  const auto wrapped = [](const auto& value) {
    return value ? std::optional(Tree(*value)) : std::nullopt;
  };
  if (!tag.starts_with(standard_tags)) return std::nullopt;
  tag.remove_prefix(standard_tags.size());
  if (tag == "str" || tag == "timestamp") return Tree(text);
  if (tag == "null") return Tree();
  if (tag == "bool") return wrapped(boolean_value(text));
  if (tag == "int") return wrapped(integer_value(text));
  if (tag == "float") return wrapped(real_value(text));
  return std::nullopt;
}

// yaml-cpp turns the escapes \N and \_ into single bytes that are no UTF-8.
std::string mended(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto start = at;
    const bool lone = next_character(text, at) == no_character;
    if (lone) out += '\xC2';  // U+0085 and U+00A0 are this byte and the one at hand
    out += text.substr(start, at - start);
  }
  return out;
}

// Nothing when the text does not fit the tag. "?" is a plain scalar, "!" a quoted one.
std::optional<Tree> scalar_value(const std::string& tag, const std::string& text) {
  if (tag == "?") return plain_value(text);
  if (tag == "!") return Tree(mended(text));
  return tagged_value(tag, mended(text));
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view name) : name_(name) {}

  void OnDocumentStart(const Mark& mark) override {
    if (++documents_ > 1) throw Refusal{mark, "a second document begins; only one is read"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const Mark& mark, anchor_t anchor) override {
    if (expects_key()) throw Refusal{mark, "the key before \":\" is missing"};
    charge(mark, Extent{});
    put(mark, anchor, Value{Tree(), Extent{}});
  }

  void OnAlias(const Mark& mark, anchor_t anchor) override {
    const auto at = anchors_.find(anchor);
    if (at == anchors_.end()) throw Refusal{mark, "an alias refers to the value it stands in"};
    if (open_.size() + at->second.extent.depth > static_cast<std::size_t>(tree_depth_max)) {
      throw Refusal{mark, too_deep()};
    }
    charge(mark, at->second.extent);
    last_key_.reset();
    put(mark, 0, at->second);
  }

  void OnScalar(const Mark& mark, const std::string& tag, anchor_t anchor,
                const std::string& text) override {
    charge(mark, Extent{1, text.size(), 0});
    last_key_.reset();
    if (tag != "?") last_quoted_ = mark;
    if (tag == "?" && text == "<<" && expects_key()) return begin_key(mark, text, true);
    auto value = scalar_value(tag, text);
    if (!value) throw Refusal{mark, format_text("this is no value of type {}", tag)};
    put(mark, anchor, Value{std::move(*value), Extent{1, text.size(), 0}});
  }

  void OnSequenceStart(const Mark& mark, const std::string& tag, anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Tree(Tree::List{}));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const Mark& mark, const std::string& tag, anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, Tree(Tree::Map{}));
    open_.back().is_flow = style == YAML::EmitterStyle::Flow;
  }
  void OnMapEnd() override {
    apply_merges();
    close();
  }

  YamlDocument take() {
    document_.tree = std::move(root_);
    return std::move(document_);
  }
  // Where the last scalar with quotes, a tag or a block began: the only one that can lack its end.
  std::optional<Mark> last_quoted() const { return last_quoted_; }
  // The key of a block map that nothing came after.
  std::optional<Mark> last_key() const { return last_key_; }

 private:
  // A list or map whose end has not come yet.
  struct Open {
    Mark mark;
    anchor_t anchor = 0;
    Value value;
    std::optional<std::string> path;  // absent when too long to be an option's
    // Of a map:
    bool is_flow = false;
    std::optional<std::string> key;
    Mark key_mark;
    bool key_is_merge = false;
    std::map<std::string, std::size_t> places;  // key -> place in the map
    Tree::Map merged;
  };

  static std::string too_deep() {
    return format_text("nested deeper than {} levels", tree_depth_max);
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().value.tree.is_map() && !open_.back().key;
  }

  void charge(const Mark& mark, const Extent& extent) {
    values_ += extent.values;
    bytes_ += extent.bytes;
    if (values_ > yaml_values_max) {
      throw Refusal{
          mark, format_text("more than {} values, copies of aliases included", yaml_values_max)};
    }
    if (bytes_ > scalar_bytes_max) {
      throw Refusal{
          mark, format_text("more than {} bytes, copies of aliases included", scalar_bytes_max)};
    }
  }

  void open(const Mark& mark, const std::string& tag, anchor_t anchor, Tree empty) {
    if (open_.size() >= static_cast<std::size_t>(tree_depth_max)) throw Refusal{mark, too_deep()};
    const std::string_view own = empty.is_map() ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
    if (tag != "?" && tag != "!" && tag != own) {
      throw Refusal{mark, format_text("the type {} is not known", tag)};
    }
    if (expects_key()) throw Refusal{mark, "a key must be a single value, not a list or map"};
    charge(mark, Extent{});
    last_key_.reset();
    Open one;
    one.mark = mark;
    one.anchor = anchor;
    one.value.tree = std::move(empty);
    one.path = path_of_next();
    open_.push_back(std::move(one));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    put(done.mark, done.anchor, std::move(done.value));
  }

  // The dotted path of the value that comes next.
  std::optional<std::string> path_of_next() const {
    if (open_.empty()) return std::string();
    const auto& parent = open_.back();
    if (!parent.path) return std::nullopt;
    const auto* list = parent.value.tree.as_list();
    const auto name = list != nullptr ? std::to_string(list->size()) : parent.key.value_or("");
    if (parent.path->size() + name.size() > path_bytes_max) return std::nullopt;
    return parent.path->empty() ? name : *parent.path + "." + name;
  }

  void begin_key(const Mark& mark, std::string key, bool is_merge) {
    auto& map = open_.back();
    map.key = std::move(key);
    map.key_mark = mark;
    map.key_is_merge = is_merge;
    if (!map.is_flow) last_key_ = mark;
  }

  void put(const Mark& mark, anchor_t anchor, Value value) {
    if (anchor != 0) {
      charge(mark, value.extent);
      anchors_[anchor] = value;
    }
    if (open_.empty()) {
      root_ = std::move(value.tree);
      return;
    }
    auto& parent = open_.back();
    if (auto* list = parent.value.tree.as_list()) {
      if (const auto path = path_of_next()) document_.lines[*path] = mark.line + 1;
      parent.value.extent.add(value.extent);
      list->push_back(std::move(value.tree));
      return;
    }
    if (!parent.key) {
      if (!value.tree.is_scalar()) {
        throw Refusal{mark, "a key must be a single value, not a list or map"};
      }
      return begin_key(mark, key_text(value.tree), false);
    }
    parent.value.extent.add(value.extent);
    if (parent.key_is_merge) {
      merge(mark, parent, value.tree);
    } else {
      put_entry(parent, std::move(value.tree));
    }
    parent.key.reset();
  }

  void put_entry(Open& parent, Tree value) {
    auto& map = *parent.value.tree.as_map();
    const auto path = path_of_next();
    const auto [at, is_new] = parent.places.emplace(*parent.key, map.size());
    const int line = parent.key_mark.line + 1;
    if (is_new) {
      map.emplace_back(*parent.key, std::move(value));
    } else {
      map[at->second].second = std::move(value);
      if (path) {
        document_.warnings.push_back(
            format_text("{}:{}: key \"{}\" is given again (first in line {}); the last one counts",
                        name_, line, *path, document_.lines[*path]));
      }
    }
    if (path) document_.lines[*path] = line;
  }

  // `<<: map` or `<<: [map, map]`; of several, the first names a key first.
  static void merge(const Mark& mark, Open& parent, const Tree& value) {
    const auto take = [&](const Tree& one) {
      const auto* map = one.as_map();
      if (map == nullptr) throw Refusal{mark, "\"<<\" takes a map or a list of maps"};
      parent.merged.insert(parent.merged.end(), map->begin(), map->end());
    };
    const auto* list = value.as_list();
    if (list == nullptr) return take(value);
    for (auto at = list->rbegin(); at != list->rend(); ++at) take(*at);
  }

  // Merged entries come first, so that the map's own replace them in place.
  void apply_merges() {
    auto& map = open_.back();
    if (map.merged.empty()) return;
    Tree::Map all;
    std::map<std::string, std::size_t> places;
    const auto put_last = [&](Tree::Entry& entry) {
      const auto [at, is_new] = places.emplace(entry.first, all.size());
      if (is_new) {
        all.push_back(std::move(entry));
      } else {
        all[at->second].second = std::move(entry.second);
      }
    };
    std::ranges::for_each(map.merged, put_last);
    std::ranges::for_each(*map.value.tree.as_map(), put_last);
    *map.value.tree.as_map() = std::move(all);
  }

  std::string name_;
  YamlDocument document_;
  Tree root_;
  std::vector<Open> open_;
  std::map<anchor_t, Value> anchors_;
  std::optional<Mark> last_quoted_;
  std::optional<Mark> last_key_;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
  int documents_ = 0;
};

struct Remedy {
  std::string_view message;  // of yaml-cpp
  std::string_view remedy;
};

const std::array<Remedy, 6> remedies{{
    {YAML::ErrorMsg::UNKNOWN_TOKEN, "put the value in quotes"},
    {YAML::ErrorMsg::UNKNOWN_ANCHOR, "put a value that begins with * in quotes"},
    {YAML::ErrorMsg::ALIAS_NOT_FOUND, "put a value that begins with * in quotes"},
    {YAML::ErrorMsg::MAP_VALUE,
     "check the indentation; put a value that contains \": \" in quotes"},
    {YAML::ErrorMsg::END_OF_MAP, "check the indentation and the \"- \" of lists"},
    {YAML::ErrorMsg::END_OF_SEQ, "check the indentation and the \"- \" of lists"},
}};

Position position_of(const Mark& mark) { return {mark.line, mark.column}; }

class Reader {
 public:
  Reader(std::string_view text, std::string_view name) : source_(text), name_(name) {}

  Result<YamlDocument> read() {
    if (const auto at = first_unprintable(source_.text())) return unprintable(*at);
    TreeBuilder builder(name_);
    const auto failure = parse(builder);
    if (const auto at = builder.last_quoted(); at && source_.is_unclosed_quote(position_of(*at))) {
      return refuse(*at, "the quote that opens here is never closed");
    }
    if (failure) return *failure;
    if (const auto at = builder.last_key(); at && source_.is_key_without_colon(position_of(*at))) {
      return refuse(*at, "a key without \":\"; the text may have been cut off here");
    }
    return builder.take();
  }

 private:
  using Failure = tl::unexpected<Error>;

  std::optional<Failure> parse(TreeBuilder& builder) {
    try {
      std::istringstream stream{source_.text()};
      YAML::Parser parser(stream);
      while (parser.HandleNextDocument(builder)) {
      }
      return std::nullopt;
    } catch (const Refusal& refusal) {
      return refuse(refusal.mark, refusal.cause);
    } catch (const YAML::Exception& error) {
      return refuse(error.mark, cause_of(error) + remedy_for(error));
    } catch (const std::exception& error) {
      return fail(Errc::invalid, "{}: {}", name_, error.what());
    }
  }

  Failure refuse(const Mark& mark, std::string_view cause) const {
    return fail(Errc::invalid, "{}:{}:{}: {}", name_, mark.line + 1, mark.column + 1, cause);
  }

  Failure unprintable(std::size_t offset) const {
    const auto at = source_.position_of(offset);
    const auto byte = static_cast<unsigned char>(source_.text()[offset]);
    return fail(Errc::invalid,
                "{}:{}:{}: byte 0x{:02X} may not stand in YAML; write the file in UTF-8 and "
                "control characters as \\xNN in double quotes",
                name_, at.line + 1, at.column + 1, byte);
  }

  // yaml-cpp from 0.8 on adds what stands after the *, which may be a password.
  static std::string cause_of(const YAML::Exception& error) {
    constexpr std::string_view anchor = "the referenced anchor is not defined";
    return error.msg.starts_with(anchor) ? std::string(anchor) : error.msg;
  }

  std::string remedy_for(const YAML::Exception& error) const {
    if (source_.is_indented_with_tab(error.mark.line)) {
      return "; indent with blanks, YAML forbids tabs there";
    }
    const auto* at = std::ranges::find_if(
        remedies, [&error](const Remedy& remedy) { return error.msg.starts_with(remedy.message); });
    return at == remedies.end() ? std::string() : format_text("; {}", at->remedy);
  }

  SourceText source_;
  std::string_view name_;
};

}  // namespace

Result<YamlDocument> parse_yaml(std::string_view text, std::string_view name) {
  if (text.size() > yaml_bytes_max) {
    return fail(Errc::invalid, "{}: longer than {} bytes", name, yaml_bytes_max);
  }
  return Reader(text, name).read();
}

}  // namespace tanist::yaml
