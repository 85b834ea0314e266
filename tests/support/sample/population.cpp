#include "support/sample/population.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "support/sample/events.h"
#include "support/sample/random.h"
#include "support/sample/text.h"
#include "support/sample/version.h"

namespace sample {
namespace {

constexpr std::int64_t second = 1'000'000, day = 86'400 * second;
constexpr std::int64_t first_day = 1'325'376'000 * second;  // 2012-01-01
constexpr std::int64_t start = 1'793'534'400 * second;      // 2026-11-01T12:00:00Z

struct Lasting {
    const char* display;
    const char* version;
};
constexpr std::array<Lasting, 5> lasting{{{"urllib3", "2.0.7"},
                                          {"idna", "3.4.0"},
                                          {"certifi", "2024.2.2"},
                                          {"Charset_Normalizer", "3.3.0"},
                                          {"requests", "2.31.0"}}};

struct Step {
    std::int64_t time;
    std::function<void(Index&)> run;
};
using Schedule = std::vector<Step>;

std::vector<std::string> known_names() {
    std::ifstream file{SAMPLE_NAMES_FILE};
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);) names.push_back(line);
    if (names.empty()) throw std::runtime_error("no project names in " SAMPLE_NAMES_FILE);
    return names;
}

// About a third of PyPI's display names are not normalized.
std::string display_of(std::string name, Random& random) {
    if (!random.percent(45)) return name;
    const auto separator = random.percent(75) ? '_' : '.';
    const bool title = random.percent(40), upper = random.percent(10),
               separated = random.percent(80);
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool first = i == 0 || name[i - 1] == '-' || name[i - 1] == separator;
        if ((title && first) || upper)
            name[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[i])));
        if (separated && name[i] == '-') name[i] = separator;
    }
    return name;
}

// The lasting five first, then others in an order of the seed's.
std::vector<std::string> display_names(std::size_t count, std::uint64_t seed) {
    Random random{seed_for(seed, "names")};
    std::vector<std::string> displays;
    for (const auto& one : lasting) displays.emplace_back(one.display);
    auto names = known_names();
    for (auto left = names.size(); left > 0 && displays.size() < count; --left) {
        std::swap(names[random.below(left)], names[left - 1]);
        const auto& name = names[left - 1];
        const bool taken = std::any_of(lasting.begin(), lasting.end(), [&](const Lasting& one) {
            return normalized(one.display) == name;
        });
        if (!taken) displays.push_back(display_of(name, random));
    }
    for (std::size_t n = displays.size(); n < count; ++n)
        displays.push_back("sample-" + std::to_string(n));
    return displays;
}

// What a place in the order of projects brings with it; the first five are whole.
bool is_without_files(std::size_t place) {
    return place >= 5 && place % 20 == 7;
}
bool is_quarantined(std::size_t place) {
    return place >= 5 && place % 25 == 9;
}
bool is_archived(std::size_t place) {
    return place >= 5 && place % 15 == 11;
}
bool is_sound(std::size_t place) {
    return !is_without_files(place) && !is_quarantined(place);
}

// How many files each project has: shares of a Pareto law, and four at least for the first five.
std::vector<std::size_t> file_counts(std::size_t projects, std::size_t files, std::uint64_t seed) {
    Random random{seed_for(seed, "file counts")};
    std::vector<double> weights;
    for (std::size_t i = 0; i < projects; ++i)
        weights.push_back(is_without_files(i) ? 0
                                              : std::min(300.0, std::pow(1 - random.unit(), -1.0)));
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const double spare =
        std::max(0.0, static_cast<double>(files) - static_cast<double>(projects) - 15.0);
    std::vector<std::size_t> counts;
    for (std::size_t i = 0; i < projects; ++i) {
        const auto share = static_cast<std::size_t>(std::lround(spare * weights[i] / sum));
        counts.push_back(is_without_files(i) ? 0 : share + (i < 5 ? 4 : 1));
    }
    return counts;
}

Style style_of(std::size_t place, std::size_t files, Random& random) {
    if (place < 5 || random.percent(68)) return Style::pure;
    if (files > 20 && random.percent(60)) return Style::compiled;
    return random.percent(50) ? Style::both_pythons : Style::source_only;
}

std::vector<std::string> requirements_of(std::size_t place,
                                         const std::vector<std::string>& displays, Random& random) {
    if (displays[place] == "requests")
        return {"charset_normalizer<4,>=2", "idna<4,>=2.5", "urllib3<3,>=1.21.1",
                "certifi>=2017.4.17"};
    std::vector<std::string> requirements;
    if (place < 5 || !random.percent(45)) return requirements;
    for (auto count = random.between(1, 4); count > 0; --count) {
        // Only on earlier ones, so that there is no circle.
        const auto other = random.below(place);
        if (is_sound(other) && random.percent(80))
            requirements.push_back(displays[other]);
        else
            requirements.emplace_back("requests>=2");
    }
    std::sort(requirements.begin(), requirements.end());
    requirements.erase(std::unique(requirements.begin(), requirements.end()), requirements.end());
    return requirements;
}

std::string requires_python_of(std::size_t place, Random& random) {
    static const std::vector<std::string> specifiers{
        "",           ">=3",
        ">=3.8",      ">=3.7",
        "<4,>=3.7",   ">=2.7, !=3.0.*, !=3.1.*, !=3.2.*",
        "~=3.8",      ">=3.10",
        ">=3.8,<4.0", ">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,<4"};
    return place < 5 ? ">=3.7" : specifiers[random.below(specifiers.size())];
}

std::size_t files_of_a_release(Style style) {
    if (style == Style::source_only) return 1;
    return style == Style::compiled ? 11 : 2;
}

std::string first_version(std::size_t place, const Project& project, Random& random) {
    return place < 5 ? lasting[place].version : next_version(project, random);
}

// A release candidate now and then before a final release, and a post-release after it.
std::string decorated(std::size_t place, const std::string& version, bool last, Random& random) {
    if (place < 5 || last || !random.percent(12)) return version;
    static constexpr std::array suffixes{"rc1", "a2", "b1", ".post1", ".dev3"};
    return version + suffixes[random.below(suffixes.size())];
}

struct Plan {
    std::size_t place;
    std::size_t files;
    Project* project;
    std::int64_t born;
};

void plan_releases(Schedule& schedule, const Plan& plan, Random& random) {
    const auto per_release = files_of_a_release(plan.project->style);
    const auto releases = (plan.files + per_release - 1) / per_release;
    const auto step = (start - 3 * day - plan.born) / static_cast<std::int64_t>(releases + 1);
    std::string number;
    for (std::size_t n = 0; n < releases; ++n) {
        const auto time =
            plan.born + static_cast<std::int64_t>(n) * step + random.between(60 * second, step / 2);
        if (n == 0)
            number = first_version(plan.place, *plan.project, random);
        else
            number = bumped(number, plan.place < 5 || random.percent(70) ? 2
                                    : random.percent(80)                 ? 1
                                                                         : 0);
        ReleasePlan release;
        release.version = decorated(plan.place, number, n + 1 == releases, random);
        release.requires_python = requires_python_of(plan.place, random);
        release.files = std::min(per_release, plan.files - n * per_release);
        const auto seed = random.next();
        schedule.push_back({time, [project = plan.project, release, seed](Index& index) {
                                Random own{seed};
                                add_release(index, *project, release, own);
                            }});
        if (plan.place >= 5 && n + 1 < releases && random.percent(8))
            schedule.push_back({time + random.between(second, step / 3),
                                [project = plan.project, version = release.version,
                                 reason = some_yank_reason(random)](Index& index) {
                                    if (Release* yanked = project->release(version))
                                        yanked->yanked = reason;
                                    index.record(*project, version, "yank release");
                                }});
    }
}

void plan_project(Schedule& schedule, const Plan& plan, Random& random) {
    const auto seed = random.next();
    schedule.push_back({plan.born, [project = plan.project, seed](Index& index) {
                            Random own{seed};
                            create(index, *project, own);
                        }});
    if (plan.files > 0) plan_releases(schedule, plan, random);
    if (random.percent(30))
        schedule.push_back(
            {start - random.between(day, 60 * day), [project = plan.project, seed](Index& index) {
                 Random own{seed + 1};
                 note_roles(index, *project, own);
             }});
    if (is_quarantined(plan.place))
        schedule.push_back(
            {start - random.between(day, 2 * day), [project = plan.project](Index& index) {
                 project->status = Status::quarantined;
                 index.record(*project, {}, "project quarantined");
             }});
    if (is_archived(plan.place)) plan.project->status = Status::archived;
}

// Projects that were and are no more: their rows stay in the journal.
void plan_removed(Schedule& schedule, Index& index, std::size_t count, Random& random) {
    for (std::size_t n = 0; n < count; ++n) {
        auto& project = index.add_project("Withdrawn.Sample_" + std::to_string(n + 1));
        project.removed = true;
        const auto born = start - random.between(100 * day, 900 * day);
        plan_project(schedule, {0, 2, &project, born}, random);
        schedule.push_back({start - random.between(second, day), [&project](Index& at) {
                                at.record(project, {}, "remove project");
                                project.releases.clear();
                                project.removed = true;
                            }});
    }
}

}  // namespace

Index populated(int projects, int files, std::uint64_t seed) {
    const auto count = static_cast<std::size_t>(std::max(projects, 5));
    const auto displays = display_names(count, seed);
    const auto counts = file_counts(count, static_cast<std::size_t>(std::max(files, 0)), seed);
    Index index{seed};
    Schedule schedule;
    for (std::size_t place = 0; place < count; ++place) {
        auto& project = index.add_project(displays[place]);
        Random random{seed_for(seed, project.name)};
        project.removed = true;  // until its creation
        project.style = style_of(place, counts[place], random);
        project.requirements = requirements_of(place, displays, random);
        const auto born = random.between(first_day, start - 60 * day);
        plan_project(schedule, {place, counts[place], &project, born}, random);
    }
    Random random{seed_for(seed, "removed projects")};
    plan_removed(schedule, index, 1 + count / 50, random);
    std::stable_sort(schedule.begin(), schedule.end(),
                     [](const Step& a, const Step& b) { return a.time < b.time; });
    for (const auto& step : schedule) {
        index.set_now(step.time);
        step.run(index);
    }
    index.set_now(start);
    return index;
}

}  // namespace sample
