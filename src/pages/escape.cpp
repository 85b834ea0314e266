#include "pep381d/pages/escape.h"

#include "pep381d/base/byte_set.h"

namespace pep381d {

namespace {

// U+FFFE and U+FFFF begin with EF.
constexpr ByteSet special = ByteSet().add(0, 0x1f).add("&<>\"\xef");

std::string_view escaped(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        // As they are, parsers of XML would make blanks of them.
        case '\t':
            return "&#9;";
        case '\n':
            return "&#10;";
        case '\r':
            return "&#13;";
        default:
            return "";
    }
}

}  // namespace

void append_xml(std::string& out, std::string_view text) {
    std::size_t plain = 0;  // where the part begins that is yet to be copied
    for (std::size_t i = 0; (i = special.find_in(text, i)) < text.size(); ++i) {
        const std::string_view character = text.substr(i, 3);
        if (text[i] == '\xef' && character != "\xef\xbf\xbe" && character != "\xef\xbf\xbf")
            continue;
        out += text.substr(plain, i - plain);
        out += escaped(text[i]);
        if (text[i] == '\xef') i += 2;
        plain = i + 1;
    }
    out += text.substr(plain);
}

}  // namespace pep381d
