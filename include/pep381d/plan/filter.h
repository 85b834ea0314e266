// Which projects the mirror carries: `filter.projects` and `filter.block`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "pep381d/model/project_name.h"

namespace pep381d {

class Filter {
  public:
    // Names in any spelling, or patterns in which `*` stands for any run of characters. What is
    // blocked stays blocked, whatever else is said.
    Filter(const std::vector<std::string>& projects, const std::vector<std::string>& block);

    bool wants(const ProjectName& name) const;
    // `filter.block` has it in full, not only a pattern that it matches: somebody means this one.
    bool blocks_by_name(const ProjectName& name) const {
        return block_.names.contains(name.text());
    }
    // All of those, normalized.
    const std::unordered_set<std::string>& blocked() const { return block_.names; }
    bool everything() const { return everything_; }
    // The plain names (no patterns) among `filter.projects`, normalized: what an operator expects
    // to be at the master.
    const std::unordered_set<std::string>& named() const { return projects_.names; }
    // Equal for filters that want the same: for comparing with what a mirror was made with.
    std::string fingerprint() const;

  private:
    struct Set {
        std::unordered_set<std::string> names;
        std::vector<std::string> patterns;
        explicit Set(const std::vector<std::string>& entries);
        bool holds(const std::string& name) const;
        std::string fingerprint() const;
    };
    Set projects_;
    Set block_;
    bool everything_;
};

}  // namespace pep381d
