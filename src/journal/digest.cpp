// SPDX-License-Identifier: Apache-2.0
// Reading and bounding the list of digests. Pure; any thread.
#include "journal/digest.h"

#include <algorithm>

#include "base/json.h"

namespace tanist::journal {

namespace {

constexpr std::size_t texts_max = 8;
constexpr std::size_t text_bytes_max = 400;

// Cut between characters.
void shorten(std::string& text) {
  if (text.size() <= text_bytes_max) return;
  auto end = text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  text += "...";
}

void bound(Incident& incident) {
  if (incident.evidence.size() > texts_max) incident.evidence.resize(texts_max);
  if (incident.voices.size() > texts_max) incident.voices.resize(texts_max);
  for (auto& text : incident.evidence) shorten(text);
  for (auto& voice : incident.voices) shorten(voice.text);
}

}  // namespace

std::vector<Incident> digests_in(const Tree& value) {
  std::vector<Incident> digests;
  const auto* items = value.as_list();
  if (items == nullptr) return digests;
  for (const auto& item : *items) {
    Incident incident;
    if (from_tree(item, incident) && incident.reign != Revision(0)) {
      digests.push_back(std::move(incident));
    }
  }
  return digests;
}

std::string with_digest(const Tree& value, Incident incident) {
  bound(incident);
  auto digests = digests_in(value);
  std::erase_if(digests, [&](const Incident& old) { return old.reign == incident.reign; });
  digests.push_back(std::move(incident));
  std::ranges::sort(digests, {}, &Incident::reign);
  if (digests.size() > digests_max) digests.erase(digests.begin(), digests.end() - digests_max);
  auto text = to_json(to_tree(digests));
  while (text.size() > digests_bytes_max && digests.size() > 1) {
    digests.erase(digests.begin());
    text = to_json(to_tree(digests));
  }
  return text;
}

}  // namespace tanist::journal
