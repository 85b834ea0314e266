// The steps that events and the first population are made of.
#include <array>
#include <set>

#include "support/sample/events.h"
#include "support/sample/text.h"
#include "support/sample/version.h"

namespace sample {
namespace {

struct FileForm {
    std::string filename;
    std::string python;  // as the journal says it: source, py3, cp312
};

// Most small, some middling, a few large; as on PyPI, only smaller.
std::size_t padding_of(Random& random) {
    const auto share = random.below(1000);
    const auto size = share < 700   ? random.between(200, 6'000)
                      : share < 950 ? random.between(6'000, 30'000)
                      : share < 997 ? random.between(30'000, 200'000)
                                    : random.between(1'000'000, 2'000'000);
    return static_cast<std::size_t>(size);
}

std::vector<FileForm> forms_of(const Project& project, const std::string& version, Random& random) {
    const auto stem = underscored(project.name) + "-" + version;
    const FileForm sdist{stem + ".tar.gz", "source"};
    switch (project.style) {
        case Style::pure:
            return {{stem + "-py3-none-any.whl", "py3"}, sdist};
        case Style::both_pythons:
            return {{stem + "-py2.py3-none-any.whl", "py2.py3"}, sdist};
        case Style::source_only:
            // As old build tools wrote them: the display name, and zip now and then.
            return {{project.display + "-" + version + (random.percent(15) ? ".zip" : ".tar.gz"),
                     "source"}};
        case Style::compiled:
            break;
    }
    std::vector<FileForm> forms;
    for (const std::string python : {"cp39", "cp310", "cp311", "cp312", "cp313"}) {
        const auto tag = stem + "-" + python + "-" + python;
        forms.push_back({tag + "-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", python});
        forms.push_back({tag + "-win_amd64.whl", python});
    }
    forms.insert(forms.begin(), sdist);
    return forms;
}

File file_of(const Index& index, const Project& project, const ReleasePlan& plan,
             const FileForm& form, Random& random) {
    File file;
    file.requires_python = plan.requires_python;
    file.uploaded_us = index.now_us();
    file.provenance = random.percent(4);
    if (random.percent(2))
        file.unknown_members =
            R"("x-sample-note":{"text":"<b>ünknown</b> & \"kept\"","weight":1.5e3})";
    Recipe recipe;
    recipe.display = project.display;
    recipe.version = plan.version;
    recipe.filename = form.filename;
    recipe.requires_python = plan.requires_python;
    recipe.requirements = project.requirements;
    recipe.time = index.now_us() / 1'000'000;
    recipe.padding = padding_of(random);
    recipe.seed = seed_for(index.seed(), form.filename);
    file.blob = Blob::made_from(std::move(recipe));
    return file;
}

}  // namespace

bool is_lasting(const Project& project) {
    static const std::set<std::string> names{"requests", "urllib3", "idna", "certifi",
                                             "charset-normalizer"};
    return names.contains(project.name);
}

void create(Index& index, Project& project, Random& random) {
    project.removed = false;
    index.record(project, {}, "create");
    index.record(project, {}, "add Owner user" + std::to_string(random.between(1000, 99999)));
}

void add_release(Index& index, Project& project, const ReleasePlan& plan, Random& random) {
    index.record(project, plan.version, "new release");
    Release release;
    release.version = plan.version;
    auto forms = forms_of(project, plan.version, random);
    if (forms.size() > plan.files) forms.resize(plan.files);
    for (const auto& form : forms) {
        index.set_now(index.now_us() + random.between(300'000, 5'000'000));
        release.files.push_back(file_of(index, project, plan, form, random));
        index.add_blob(release.files.back().blob);
        index.record(project, plan.version, "add " + form.python + " file " + form.filename);
    }
    project.releases.push_back(std::move(release));
    if (project.last_version.empty() || version_less(project.last_version, plan.version))
        project.last_version = plan.version;
}

std::string next_version(const Project& project, Random& random) {
    if (project.last_version.empty()) {
        static constexpr std::array first{"0.0.1", "0.1.0", "1.0.0", "0.1", "2023.4.1"};
        return first[random.below(first.size())];
    }
    const auto share = random.below(10);
    return bumped(project.last_version, share < 6 ? 2 : share < 9 ? 1 : 0);
}

std::string some_yank_reason(Random& random) {
    static const std::vector<std::string> reasons{
        "",
        "Broken <b>metadata</b> & \"quotes\" & 'apostrophes'",
        "Donn\xc3\xa9"
        "es ab\xc3\xaem\xc3\xa9"
        "es \xe2\x80\x94 \xd0\xb2\xd0\xb5\xd1\x80\xd0\xbd\xd1\x83\xd1\x82\xd1\x8c "
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
        "wrong files",
        "CVE-2024-0001; use > 1.0, < 2.0",
        "two\nlines\tand a tab \\ backslash"};
    return reasons[random.below(reasons.size())];
}

void note_roles(Index& index, Project& project, Random& random) {
    static constexpr std::array words{"add Owner ",           "remove Owner ",
                                      "invite Maintainer ",   "accepted Maintainer ",
                                      "revoke_invite Owner ", "remove Maintainer "};
    const std::string word = words[random.below(words.size())];
    index.record(project, {}, word + "user" + std::to_string(random.between(1000, 99999)));
}

}  // namespace sample
