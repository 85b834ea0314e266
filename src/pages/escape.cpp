#include "pep381d/pages/escape.h"

#include <array>

namespace pep381d {

namespace {

constexpr auto special = [] {
    std::array<bool, 256> table{};
    for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
    for (const char c : {'&', '<', '>', '"'}) table[static_cast<unsigned char>(c)] = true;
    table[0xef] = true;  // U+FFFE and U+FFFF begin with it
    return table;
}();

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
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!special[static_cast<unsigned char>(text[i])]) continue;
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
