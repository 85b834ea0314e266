#include "pep381d/pages/root_index.h"

#include "pep381d/model/project_page.h"
#include "pep381d/pages/escape.h"

namespace pep381d {

void begin_root_html(std::string& out) {
    out +=
        "<!DOCTYPE html>\n<html lang=\"en\">\n"
        "<head><meta name=\"pypi:repository-version\" content=\"1.4\"/><title>Simple "
        "index</title></head>\n<body>\n";
}

void add_root_html(std::string& out, const RootEntry& entry) {
    out += "<a href=\"";
    append_xml(out, entry.name);
    out += "/\">";
    append_xml(out, entry.display);
    out += "</a>\n";
}

void end_root_html(std::string& out, Serial serial) {
    out += "</body>\n</html>\n<!--SERIAL " + std::to_string(serial.value) + "-->\n";
}

void begin_root_json(std::string& out, Serial serial) {
    out += R"({"meta":{"_last-serial":)" + std::to_string(serial.value) +
           R"(,"api-version":"1.4"},"projects":[)";
}

void add_root_json(std::string& out, const RootEntry& entry, bool first) {
    if (!first) out += ',';
    out += R"({"_last-serial":)";
    out += std::to_string(entry.serial.value);
    out += R"(,"name":)";
    append_json_string(out, entry.display);
    out += '}';
}

void end_root_json(std::string& out) {
    out += "]}\n";
}

}  // namespace pep381d
