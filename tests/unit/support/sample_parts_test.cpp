// The parts that the sample master is made of.
#include "support/catch.h"
#include "support/sample/digest.h"
#include "support/sample/population.h"
#include "support/sample/render.h"
#include "support/sample/text.h"
#include "support/sample/version.h"

namespace sample {

TEST_CASE("BLAKE2b-256 is that of CPython's hashlib, at and over the ends of its blocks") {
    std::string bytes;
    for (int round = 0; round < 2; ++round)
        for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    CHECK(hex(blake2b_256("")) ==
          "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    CHECK(hex(blake2b_256("abc")) ==
          "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    CHECK(hex(blake2b_256(std::string(128, '\0'))) ==
          "378d0caaaa3855f1b38693c1d6ef004fd118691c95c959d4efa950d6d6fcf7c1");
    CHECK(hex(blake2b_256(bytes + "x")) ==
          "52fde97e5b78a95fde3d3f1c39b9cb798927e3568418aef1f5c596eea0b082f0");
}

TEST_CASE("versions sort as PEP 440 says") {
    const std::vector<std::string> ascending{"0.0.1.dev3", "0.0.1a2",     "0.0.1b1", "0.0.1rc1",
                                             "0.0.1",      "0.0.1.post1", "0.0.2",   "0.0.10",
                                             "0.1",        "1.0.0a20",    "1.0",     "1.0.1",
                                             "2023.4.1",   "2030.4.8",    "1!0.1"};
    for (std::size_t a = 0; a < ascending.size(); ++a)
        for (std::size_t b = 0; b < ascending.size(); ++b) {
            INFO(ascending[a] << " and " << ascending[b]);
            CHECK(version_less(ascending[a], ascending[b]) == (a < b));
        }
    CHECK(bumped("1.2.3rc1", 2) == "1.2.4");
    CHECK(bumped("0.1", 1) == "0.2.0");
    CHECK(bumped("2.9.9", 0) == "3.0.0");
}

TEST_CASE("names are normalized as PEP 503 says") {
    CHECK(normalized("Charset_Normalizer") == "charset-normalizer");
    CHECK(normalized("zope.-_interface") == "zope-interface");
    CHECK(underscored("Zope.Interface") == "zope_interface");
}

TEST_CASE("the same seed gives the same index, page for page; another seed another one") {
    const Bases bases{"http://pages", "http://files"};
    const auto all_of = [&](std::uint64_t seed) {
        const auto index = populated(25, 80, seed);
        auto text = root_json(index.list(true, false), index.serial());
        for (const Project* project : index.projects()) text += project_json(*project, bases);
        return text;
    };
    const auto first = all_of(7);
    CHECK(first == all_of(7));
    CHECK(first != all_of(8));
}

TEST_CASE("a project's serial is that of its last row, and serials have gaps") {
    const auto index = populated(60, 300, 1);
    std::map<std::string, std::int64_t> last;
    bool gap = false;
    std::int64_t before = 0;
    for (const auto& row : index.journal()) {
        CHECK(row.serial > before);
        gap = gap || row.serial > before + 1;
        before = row.serial;
        last[normalized(row.name)] = row.serial;
    }
    CHECK(gap);
    for (const Project* project : index.projects())
        CHECK(project->serial == last.at(project->name));
}

TEST_CASE("the index has what a mirror must cope with") {
    const auto index = populated(60, 300, 1);
    int quarantined = 0, archived = 0, empty = 0, removed = 0, odd_names = 0;
    std::size_t files = 0, yanked = 0, provenance = 0, unknown = 0;
    for (const Project* project : index.projects()) {
        quarantined += project->status == Status::quarantined;
        archived += project->status == Status::archived;
        removed += project->removed;
        empty += project->releases.empty() && !project->removed;
        odd_names += project->display != project->name;
        for (const auto& release : project->releases) {
            files += release.files.size();
            yanked += release.yanked.has_value();
            for (const auto& file : release.files) {
                provenance += file.provenance;
                unknown += !file.unknown_members.empty();
            }
        }
    }
    CHECK(index.list(true, false).size() == 60);
    CHECK(quarantined > 0);
    CHECK(archived > 0);
    CHECK(empty > 0);
    CHECK(removed > 0);
    CHECK(odd_names >= 12);
    CHECK(files >= 240);
    CHECK(files <= 360);
    CHECK(yanked > 0);
    CHECK(provenance > 0);
    CHECK(unknown > 0);
    for (const std::string name : {"requests", "urllib3", "idna", "certifi", "charset-normalizer"})
        CHECK(index.shown(name, false)->releases.size() >= 2);
}

}  // namespace sample
