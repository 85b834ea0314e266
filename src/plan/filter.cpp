#include "pep381d/plan/filter.h"

#include <algorithm>

namespace pep381d {

namespace {

// `*` matches any run; on a mismatch only the latest star can be stretched, so this is linear in
// practice.
bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                       [](char c) { return c == '*'; });
}

// A pattern is compared with normalized names, so it is normalized as far as a fragment can be.
std::string normalize_pattern(std::string_view raw) {
    std::string pattern;
    for (const char c : raw) {
        if (c == '-' || c == '_' || c == '.') {
            if (pattern.empty() || pattern.back() != '-') pattern += '-';
        } else {
            pattern += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return pattern;
}

}  // namespace

Filter::Set::Set(const std::vector<std::string>& entries) {
    for (const std::string& entry : entries) {
        if (entry.find('*') != std::string::npos)
            patterns.push_back(normalize_pattern(entry));
        else if (const auto name = ProjectName::parse(entry))
            names.insert(name->text());
    }
    std::sort(patterns.begin(), patterns.end());
}

bool Filter::Set::holds(const std::string& name) const {
    return names.contains(name) ||
           std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(pattern, name); });
}

std::string Filter::Set::fingerprint() const {
    std::vector<std::string> all(names.begin(), names.end());
    all.insert(all.end(), patterns.begin(), patterns.end());
    std::sort(all.begin(), all.end());
    std::string text;
    for (const std::string& one : all) text += one + ' ';
    return text;
}

Filter::Filter(const std::vector<std::string>& projects, const std::vector<std::string>& block)
    : projects_(projects),
      block_(block),
      everything_(block.empty() &&
                  std::find(projects.begin(), projects.end(), "*") != projects.end()) {}

bool Filter::wants(const ProjectName& name) const {
    if (everything_) return true;
    return projects_.holds(name.text()) && !block_.holds(name.text());
}

std::string Filter::fingerprint() const {
    return "projects " + projects_.fingerprint() + "block " + block_.fingerprint();
}

}  // namespace pep381d
