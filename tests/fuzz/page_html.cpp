// Pages of a master in HTML: what is made of one reads back as it was, in both formats, and no link
// leads out of packages/.
#include "pep381d/master/page_html.h"

#include "pep381d/pages/project_page.h"
#include "pep381d/plan/page_plan.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

const std::string base = "https://pypi.example/simple/foo/";

// XML has no place for some characters, and HTML makes one line end of two.
bool survives_html(std::string_view text) {
    return !fuzz::has_control(text) && text.find("\xef\xbf") == std::string_view::npos;
}

bool survives_html(const ProjectPage& page) {
    if (!survives_html(page.status.status) || !survives_html(page.status.reason)) return false;
    for (const File& file : page.files)
        if (!survives_html(file.name.text()) || !survives_html(file.yanked_reason) ||
            !survives_html(file.requires_python.value_or("")) ||
            !survives_html(file.provenance.value_or("")) ||
            (file.provenance && !file.provenance->starts_with("https://")) || !file.members.empty())
            return false;
    return true;
}

}  // namespace

void fuzz_one(std::string_view input) {
    const auto foo = ProjectName::parse("foo");
    const auto read = read_page_html(input, base, *foo);
    if (!read) {
        require(read.failure().fault == Fault::corrupt, "a page that cannot be read is corrupt");
        require(!fuzz::has_control(read.failure().what), "a cause is one line",
                read.failure().what);
        return;
    }
    const ProjectPage& page = read.value().page;
    const auto json = read_page_json(project_json(page), base, *foo);
    require(json.ok(), "a page of ours can be read", json ? "" : json.failure().what);
    require(json.value().page == page, "a page reads back as it was", project_json(page));

    for (const File& file : plan_page(page, nullptr, {}).page.files)
        require(file.path.starts_with("packages/") && file.path.ends_with("/" + file.name.text()),
                "a file lies in packages/", file.path);

    if (!survives_html(page)) return;
    const auto again = read_page_html(project_html(page), base, *foo);
    require(again.ok(), "a page of ours can be read as HTML", again ? "" : again.failure().what);
    require(again.value().page.files.size() == page.files.size(), "no file is lost or invented");
}
