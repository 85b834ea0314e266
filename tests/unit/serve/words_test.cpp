#include "pep381d/serve/words.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("a list is cut at its separator, blanks around its members dropped") {
    std::string_view rest = " a ,\tb c,,d";
    CHECK(next_word(rest, ',') == "a");
    CHECK(next_word(rest, ',') == "b c");
    CHECK(next_word(rest, ',').empty());
    CHECK(next_word(rest, ',') == "d");
    CHECK(rest.empty());
    CHECK(trimmed(" \t ").empty());
}

TEST_CASE("tokens compare without regard to case, but whole") {
    CHECK(same_word("Text/HTML", "text/html"));
    CHECK_FALSE(same_word("text/html", "text/htm"));
    CHECK_FALSE(same_word("text[html", "text{html"));
}

TEST_CASE("percent escapes are decoded once, and wrong ones are not guessed at") {
    CHECK(percent_decoded("a%20b+c") == "a b+c");
    CHECK(percent_decoded("%2525") == "%25");
    CHECK(percent_decoded("%c3%A9") == "\xc3\xa9");
    for (const char* wrong : {"%", "%4", "a%", "%zz", "%4g", "%%41", "% 1"})
        CHECK_FALSE(percent_decoded(wrong));
}
