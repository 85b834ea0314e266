#include "pep381d/master/xmlrpc.h"

#include <map>
#include <vector>

#include "support/catch.h"
#include "support/golden.h"

using namespace pep381d;

namespace {

using List = std::vector<std::pair<std::string, std::int64_t>>;

Outcome<Serial> read_serial(std::string_view text) {
    SerialReader reader;
    if (Done done = reader.feed(text); !done) return done.failure();
    return reader.finish();
}

// In two pieces, the first of them `cut` bytes long.
Outcome<std::vector<Event>> read_changelog(std::string_view text, std::size_t cut = 0) {
    ChangelogReader reader;
    if (Done done = reader.feed(text.substr(0, cut)); !done) return done.failure();
    if (Done done = reader.feed(text.substr(cut)); !done) return done.failure();
    return reader.finish();
}

Outcome<List> read_list(std::string_view text, std::size_t cut = 0) {
    List list;
    ListReader reader(
        [&](std::string_view name, Serial serial) { list.emplace_back(name, serial.value); });
    if (Done done = reader.feed(text.substr(0, cut)); !done) return done.failure();
    if (Done done = reader.feed(text.substr(cut)); !done) return done.failure();
    if (Done done = reader.finish(); !done) return done.failure();
    return list;
}

std::string answer(const std::string& value) {
    return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n" + value +
           "\n</param>\n</params>\n</methodResponse>\n";
}
std::string rows(const std::string& text) {
    return answer("<value><array><data>" + text + "</data></array></value>");
}
std::string row(const std::string& cells) {
    return "<value><array><data>" + cells + "</data></array></value>";
}
std::string members(const std::string& text) {
    return answer("<value><struct>" + text + "</struct></value>");
}
std::string member(const std::string& name, const std::string& value) {
    return "<member><name>" + name + "</name>" + value + "</member>";
}
std::string fault(const std::string& code, const std::string& text) {
    return "<?xml version='1.0'?><methodResponse><fault><value><struct>" +
           member("faultCode", code) + member("faultString", text) +
           "</struct></value></fault></methodResponse>";
}

// The start of a document that another cannot have: everything up to the last tag's last byte.
std::size_t document_size(const std::string& text) {
    return text.rfind('>') + 1;
}

}  // namespace

TEST_CASE("requests carry the method's name and the serial") {
    CHECK(request_last_serial() ==
          "<?xml version='1.0'?>\n<methodCall><methodName>changelog_last_serial</methodName>"
          "<params></params></methodCall>\n");
    CHECK(request_changelog(Serial{24891357}) ==
          "<?xml version='1.0'?>\n<methodCall><methodName>changelog_since_serial</methodName>"
          "<params><param><value><int>24891357</int></value></param></params></methodCall>\n");
    CHECK_THAT(request_list(),
               ContainsSubstring("<methodName>list_packages_with_serial</methodName>"));
}

TEST_CASE("the last serial is an integer in any spelling, or nil") {
    const std::vector<std::pair<std::string, std::int64_t>> table{
        {"<value><int>3505</int></value>", 3505},
        {"<value><i4>3505</i4></value>", 3505},
        {"<value><i8>9000000000</i8></value>", 9'000'000'000},
        {"<value><double>3505.0</double></value>", 3505},
        {"<value>\n <int> 3505\n</int> </value>", 3505},
        {"<value><int><![CDATA[3505]]></int></value>", 3505},
        {"<value><!-- x > y --><int>35<!-- --->05</int></value>", 3505},
        {"<value><nil/></value>", 0},
        {"<value><nil></nil></value>", 0},
        {"<value><ex:nil xmlns:ex='x'/></value>", 0},
    };
    for (const auto& [value, serial] : table) {
        INFO(value);
        const auto outcome = read_serial(answer(value));
        REQUIRE(outcome.ok());
        CHECK(outcome.value().value == serial);
    }
    const auto bare = read_serial(
        "<methodResponse><params><param><value><int>1</int></value></param></params></"
        "methodResponse>");
    REQUIRE(bare.ok());
    CHECK(bare.value().value == 1);
}

TEST_CASE("the list of PyPI is read, name by name") {
    const auto outcome = read_list(golden("pypi/xmlrpc.list_packages_with_serial.xml"));
    REQUIRE(outcome.ok());
    const List& list = outcome.value();
    CHECK(list.size() == 64);
    CHECK(list.front() == List::value_type{"boto3", 3505});
    CHECK(list.back() == List::value_type{"Silicon-Refinery", 3466});
}

TEST_CASE("the journal of PyPI is read, row by row") {
    const auto outcome = read_changelog(golden("pypi/xmlrpc.changelog_since_serial.xml"));
    REQUIRE(outcome.ok());
    const auto& events = outcome.value();
    REQUIRE(events.size() == 328);
    CHECK(events[0].name == "equiflow");
    CHECK(events[0].action == "new release");
    CHECK(events[0].has_version);
    CHECK(events[0].serial == Serial{2701});
    CHECK(events[3].name == "yftest");
    CHECK(events[3].action == "create");
    CHECK_FALSE(events[3].has_version);
    CHECK(events.back().serial == Serial{3505});
}

TEST_CASE("text is unescaped once, and a type is not needed for it") {
    const auto list =
        read_list(members(member("a&amp;b&#233;<![CDATA[<c>]]>", "<value><int>1</int></value>") +
                          "\n" + member("d", "<value><nil/></value>")));
    REQUIRE(list.ok());
    CHECK(list.value() == List{{"a&b\xc3\xa9<c>", 1}, {"d", 0}});

    const auto events = read_changelog(
        rows(row("<value>Foo</value>\n<value></value><value><double>1.5</double></value>"
                 "<value><string>add Owner &amp;#233;</string></value><value><i8>7</i8></value>") +
             row("<value><nil/></value><value>1.0</value><value/><value><string/></value>"
                 "<value><double>8</double></value>")));
    REQUIRE(events.ok());
    REQUIRE(events.value().size() == 2);
    CHECK(events.value()[0].name == "Foo");
    CHECK(events.value()[0].action == "add Owner &#233;");
    CHECK_FALSE(events.value()[0].has_version);
    CHECK(events.value()[1].name.empty());
    CHECK(events.value()[1].has_version);
    CHECK(events.value()[1].serial == Serial{8});
}

TEST_CASE("an empty list and an empty journal are answers") {
    const auto list = read_list(members(""));
    REQUIRE(list.ok());
    CHECK(list.value().empty());
    CHECK(read_list(answer("<value><struct/></value>")).ok());
    const auto events = read_changelog(rows("\n"));
    REQUIRE(events.ok());
    CHECK(events.value().empty());
    CHECK(read_changelog(answer("<value><array><data/></array></value>")).ok());
}

TEST_CASE("an answer cut off anywhere is corrupt") {
    const std::string list = members(member("foo", "<value><int>1</int></value>") + "<!-- x -->\n" +
                                     member("b&amp;<![CDATA[>]]>", "<value><int>2</int></value>"));
    for (std::size_t cut = 0; cut < document_size(list); ++cut) {
        INFO(cut);
        const auto outcome = read_list(std::string_view(list).substr(0, cut));
        REQUIRE_FALSE(outcome.ok());
        REQUIRE(outcome.failure().fault == Fault::corrupt);
        const bool begun = list.substr(0, cut).find("<methodResponse>") != std::string::npos;
        if (begun) REQUIRE_THAT(outcome.failure().what, ContainsSubstring("ends in the middle"));
    }
    const std::string journal = golden("pypi/xmlrpc.changelog_since_serial.xml").substr(0, 2'000);
    for (std::size_t cut = 0; cut < journal.size(); ++cut) {
        INFO(cut);
        REQUIRE_FALSE(read_changelog(std::string_view(journal).substr(0, cut)).ok());
    }
    const std::string serial = golden("pypi/xmlrpc.changelog_last_serial.xml");
    for (std::size_t cut = 0; cut < document_size(serial); ++cut) {
        INFO(cut);
        REQUIRE_FALSE(read_serial(std::string_view(serial).substr(0, cut)).ok());
    }
    CHECK(read_serial(std::string_view(serial).substr(0, document_size(serial))).ok());
}

TEST_CASE("members of the usual form and of any other are read alike") {
    const char* one = "<value><int>1</int></value>";
    const auto list = read_list(members(
        member("a", one) + "<member>\n<name>b.c</name>\n<value><int>2</int></value>\n</member>\n" +
        "<member ><name>c</name><value><int>3</int></value></member>" + member("d", one) +
        "<member><!-- x --><name>e</name><value><int>5</int></value></member>" +
        "<member><name>f</name><value><int> 6 </int></value></member>" +
        "<member><name>g</name><value><i8>7</i8></value></member>" + member("h i", one) +
        "<member><name></name><value><int>9</int></value></member>" + member("j", one)));
    REQUIRE(list.ok());
    CHECK(list.value() == List{{"a", 1},
                               {"b.c", 2},
                               {"c", 3},
                               {"d", 1},
                               {"e", 5},
                               {"f", 6},
                               {"g", 7},
                               {"h i", 1},
                               {"", 9},
                               {"j", 1}});
}

TEST_CASE("where an answer is cut into pieces makes no difference") {
    const std::string list = golden("pypi/xmlrpc.list_packages_with_serial.xml");
    const auto whole = read_list(list);
    REQUIRE(whole.ok());
    for (std::size_t cut = 0; cut <= list.size(); ++cut) {
        INFO(cut);
        const auto outcome = read_list(list, cut);
        REQUIRE(outcome.ok());
        REQUIRE(outcome.value() == whole.value());
    }
    const std::string failing =
        fault("<value><int>1</int></value>", "<value>a <![CDATA[> ]]> &lt;<!-- > --></value>");
    for (std::size_t cut = 0; cut <= failing.size(); ++cut) {
        INFO(cut);
        const auto outcome = read_changelog(failing, cut);
        REQUIRE_FALSE(outcome.ok());
        REQUIRE_THAT(outcome.failure().what, ContainsSubstring("\"a >  <\""));
    }
    ListReader reader([](std::string_view, Serial) {});
    for (const char& c : list) REQUIRE(reader.feed({&c, 1}).ok());
    CHECK(reader.finish().ok());
}

TEST_CASE("a fault of the server is tried again later, after the time that it names") {
    const std::vector<std::pair<std::string, int>> table{
        {"HTTPTooManyRequests: The action could not be performed because there were too many "
         "requests by the client. "
         "Limit may reset in 42 seconds.",
         42},
        {"HTTPTooManyRequests: Limit may reset in 0 seconds.", 1},
        {"HTTPTooManyRequests: Limit may reset in -7 seconds.", 1},
        {"HTTPTooManyRequests: Limit may reset in 86400 seconds.", 3600},
        {"HTTPTooManyRequests: Limit may reset in 99999999999999999999999 seconds.", 3600},
        {"HTTPTooManyRequests: Limit may reset in a while", 60},
        {"HTTPTooManyRequests: The action could not be performed", 60},
        {"application error", 0},
        {"TypeError: not a ValueError: nor a RuntimeError:", 0},
    };
    for (const auto& [text, seconds] : table) {
        INFO(text);
        const auto outcome = read_list(fault("<value><int>-32500</int></value>",
                                             "<value><string>" + text + "</string></value>"));
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().fault == Fault::retry_later);
        CHECK(outcome.failure().wait == std::chrono::seconds{seconds});
        CHECK_THAT(outcome.failure().what, ContainsSubstring("list_packages_with_serial"));
        CHECK_THAT(outcome.failure().what, ContainsSubstring("fault -32500"));
        CHECK_THAT(outcome.failure().what, ContainsSubstring(text));
    }
    const Failure throttled = read_serial(fault("<value><int>429</int></value>",
                                                "<value>max concurrent requests exceeded</value>"))
                                  .failure();
    CHECK(throttled.fault == Fault::retry_later);
    CHECK(throttled.wait == std::chrono::seconds{0});
}

TEST_CASE("a fault that the same question will meet again is a refusal") {
    const std::string pypi = golden("pypi/xmlrpc.fault.xml");  // a method that was given up
    CHECK(read_serial(pypi).failure().fault == Fault::refused);
    CHECK(read_changelog(pypi).failure().fault == Fault::refused);
    const std::vector<std::pair<int, std::string>> table{
        {-32601, "server error; method not found"},
        {-32602, "client error; serial: Input should be a valid integer"},
        {-32700, "parse error; not well formed"},
        {-32500, "ValueError: The changelog method has been deprecated"},
    };
    for (const auto& [code, text] : table) {
        INFO(code);
        const auto outcome =
            read_changelog(fault("<value><int>" + std::to_string(code) + "</int></value>",
                                 "<value><string>" + text + "</string></value>"));
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().fault == (code == -32601 ? Fault::gone : Fault::refused));
        CHECK(outcome.failure().wait == std::chrono::seconds{0});
        CHECK_THAT(outcome.failure().what, ContainsSubstring(text));
    }
}

TEST_CASE("no entity is expanded, whatever an answer declares") {
    const std::string laughs = R"(<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>)";
    const std::string outside = R"(<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>)";
    const std::string row = answer(
        "<value><struct><member><name>&b;</name><value><int>1</int>"
        "</value></member></struct></value>");
    for (const std::string& declaration : {laughs, outside, std::string()}) {
        std::vector<std::string> names;
        ListReader reader([&](std::string_view name, Serial) { names.emplace_back(name); });
        (void)reader.feed("<?xml version='1.0'?>" + declaration + row).ok();
        const Done done = reader.finish();
        if (!declaration.empty()) {
            REQUIRE_FALSE(done.ok());
            CHECK_THAT(done.failure().what, ContainsSubstring("a DOCTYPE"));
        }
        for (const std::string& name : names) CHECK(name == "&b;");
    }
}

TEST_CASE("nesting as deep as an answer allows is refused, not descended into") {
    std::string open, close;
    for (int i = 0; i < 9'000; ++i) {
        open += "<a>";
        close += "</a>";
    }
    for (const std::string& body :
         {answer("<value>" + open + close + "</value>"), answer(open + close),
          answer("<value><struct><member>" + open + close + "</member></struct></value>")}) {
        ListReader reader([](std::string_view, Serial) {});
        (void)reader.feed(body).ok();
        const Done done = reader.finish();
        REQUIRE_FALSE(done.ok());
        CHECK(done.failure().fault == Fault::corrupt);
    }
}

TEST_CASE("what is not XML-RPC is corrupt, and the failure says what came instead") {
    const std::vector<std::pair<std::string, std::string>> table{
        {"", "an empty answer"},
        {" \n", "an empty answer"},
        {"<?xml version='1.0'?>\n", "an empty answer"},
        {"<!DOCTYPE html>\n<html><body>busy</body></html>", "an HTML page"},
        {"<!doctype HTML PUBLIC \"x\">", "an HTML page"},
        {"<HTML><head>", "an HTML page"},
        {"<rss></rss>", "XML came that is not XML-RPC"},
        {"<methodCall></methodCall>", "XML came that is not XML-RPC"},
        {"{\"message\":\"no\"}", "JSON"},
        {"  []", "JSON"},
        {"upstream connect error", "plain text"},
        {"<!DOCTYPE x [<!ENTITY a \"b\">]><methodResponse/>", "a DOCTYPE"},
        {"<methodResponse/>", "<params>"},
        {"<methodResponse><params/></methodResponse>", ""},
        {answer(""), ""},
        {answer("<value><int>1</int></value>") + answer("<value><int>1</int></value>"),
         "a second document"},
        {answer("<value><int>1</int></value>") + "x", "text follows"},
        {answer("<value><int>1</int></value>") + "</x>", "an end tag"},
        {answer("<value><array><data></data></array></value>"), ""},
        {answer("<value><struct></value></struct>"), ""},
        {answer("<value><struct>x</struct></value>"), "among the values"},
        {answer("<value><struct><x/><y/></struct></value>"), "among the values"},
        {answer("<value><struct></struct></value><value><struct></struct></value>"), "not alone"},
        {"<methodResponse><params>" + std::string(70'000, 'x'), "64 KiB"},
        {"<methodResponse " + std::string(70'000, 'x'), "64 KiB"},
        {members("<member>" + std::string(70'000, 'x')), "64 KiB"},
        {std::string("<methodResponse>\0</methodResponse>", 34), ""},
    };
    for (const auto& [text, cause] : table) {
        INFO(text.substr(0, 200));
        const auto outcome = read_list(text);
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().fault == Fault::corrupt);
        CHECK_THAT(outcome.failure().what, ContainsSubstring("list_packages_with_serial: "));
        CHECK_THAT(outcome.failure().what, ContainsSubstring(cause));
    }
}

TEST_CASE("a member or row of another shape spoils the whole answer") {
    const std::string one = "<value><int>1</int></value>";
    for (const std::string& text : {
             member("a", "<value><int>-1</int></value>"),
             member("a", "<value><int>1x</int></value>"),
             member("a", "<value><int></int></value>"),
             member("a", "<value><int>99999999999999999999</int></value>"),
             member("a", "<value><double>1.5</double></value>"),
             member("a", "<value><double>1e300</double></value>"),
             member("a", "<value><double>nan</double></value>"),
             member("a", "<value><string>1</string></value>"),
             member("a", "<value>1</value>"),
             member("a", "<value><int>1</int><int>1</int></value>"),
             member("a", ""),
             member("<b/>", one),
             std::string("<member>") + one + "</member>",
             "<member><name>a</name>" + one + one + "</member>",
             std::string("<member><name>a</member></name>"),
             std::string("<member/>"),
         }) {
        INFO(text);
        const auto outcome = read_list(members(text));
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().fault == Fault::corrupt);
    }
    const std::string start = "<value>a</value><value>1</value>" + one + "<value>create</value>";
    CHECK(read_changelog(rows(row(start + one))).ok());
    for (const std::string& text : {
             row(start),
             row(start + one + one),
             row(start + "<value><int>0</int></value>"),
             row(start + "<value><nil/></value>"),
             row("<value><int>5</int></value>" + start.substr(16) + one),
             row(start + "<x>1</x>"),
             one,
             std::string("<value>text</value>"),
         }) {
        INFO(text);
        const auto outcome = read_changelog(rows(text));
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().fault == Fault::corrupt);
    }
}

TEST_CASE("the members of a fault are not handed out as projects") {
    List seen;
    ListReader reader(
        [&](std::string_view name, Serial serial) { seen.emplace_back(name, serial.value); });
    REQUIRE(reader.feed(golden("pypi/xmlrpc.fault.xml")).ok());
    CHECK_FALSE(reader.finish().ok());
    CHECK(seen.empty());
}

TEST_CASE("a failure stays") {
    ListReader reader([](std::string_view, Serial) {});
    CHECK_FALSE(reader.feed("<html>").ok());
    CHECK_FALSE(reader.feed(members("")).ok());
    CHECK_FALSE(reader.finish().ok());
}

TEST_CASE("line ends between a million members do not fill the memory for what is around them") {
    std::size_t count = 0;
    ListReader reader([&](std::string_view, Serial) { ++count; });
    REQUIRE(reader.feed("<methodResponse><params><param><value><struct>").ok());
    const std::string piece =
        "\n\n  \n" + member("a", "<value><int>1</int></value>") + "\n<!-- c -->\n";
    for (int i = 0; i < 20'000; ++i) REQUIRE(reader.feed(piece).ok());
    REQUIRE(reader.feed("</struct></value></param></params></methodResponse>").ok());
    CHECK(reader.finish().ok());
    CHECK(count == 20'000);
}

TEST_CASE("a journal by time has rows of four values or five, and each has a mark of its own") {
    const auto read = [](const std::string& text) {
        ChangelogReader reader(true);
        Outcome<std::vector<Event>> events = Failure{Fault::corrupt, ""};
        if (Done fed = reader.feed(rows(text)); fed) events = reader.finish();
        return events;
    };
    const std::string foo =
        "<value><string>Foo</string></value><value><string>1.0</string></value>"
        "<value><int>1300000000</int></value>"
        "<value><string>new release</string></value>";
    const std::string other =
        "<value>Foo</value><value><nil/></value><value><int>1300000000</int>"
        "</value><value>new release</value>";
    const auto events =
        read(row(foo) + row(foo) + row(other) + row(foo + "<value><int>77</int></value>"));
    REQUIRE(events.ok());
    REQUIRE(events.value().size() == 4);
    const Event& first = events.value()[0];
    CHECK(first.name == "Foo");
    CHECK(first.action == "new release");
    CHECK(first.has_version);
    CHECK(first.time == 1300000000);
    for (const Event& event : events.value()) CHECK(event.serial == Serial{});
    std::map<std::string, int> marks;
    for (const Event& event : events.value()) ++marks[event.mark];
    CHECK(marks.size() == 4);
    // The same rows have the same marks again.
    const auto again = read(row(foo) + row(foo));
    REQUIRE(again.ok());
    CHECK(again.value()[0].mark == first.mark);
    CHECK(again.value()[1].mark == events.value()[1].mark);

    const std::string name = "<value>a</value>", time = "<value><int>1</int></value>";
    for (const std::string& cells :
         {name + name + time, foo + time + time, name + name + name + name,
          name + name + "<value><int>-1</int></value>" + name, time + name + time + name}) {
        INFO(cells);
        CHECK(!read(row(cells)).ok());
    }
}

TEST_CASE("servers of before 2018 number their faults in another way") {
    const auto failure = [](const std::string& code, const std::string& text) {
        return read_serial(fault("<value><int>" + code + "</int></value>",
                                 "<value><string>" + text + "</string></value>"))
            .failure();
    };
    CHECK(failure("1", "&lt;type 'exceptions.Exception'&gt;:method \"x\" is not supported").fault ==
          Fault::gone);
    CHECK(failure("1", "&lt;type 'exceptions.KeyError'&gt;:'x'").fault == Fault::retry_later);
    const Failure busy = failure("429", "max concurrent requests exceeded");
    CHECK(busy.fault == Fault::retry_later);
    CHECK(busy.limited);
}
