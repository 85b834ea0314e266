#include "pep381d/app/config.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>

#include "pep381d/app/config_key.h"

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

namespace {

// A file with the given text, gone at the end of the test.
class ConfigFile {
  public:
    explicit ConfigFile(const std::string& text) {
        const int fd = ::mkstemp(path_.data());
        REQUIRE(fd >= 0);
        ::close(fd);
        std::ofstream(path_) << text;
    }
    ConfigFile(const ConfigFile&) = delete;
    ConfigFile& operator=(const ConfigFile&) = delete;
    ~ConfigFile() { ::unlink(path_.c_str()); }
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/pep381d-config-XXXXXX";
};

CommandLine read(std::vector<std::string> tokens) {
    std::vector<const char*> argv{"pep381d"};
    for (const std::string& token : tokens) argv.push_back(token.c_str());
    return read_command_line(static_cast<int>(argv.size()), argv.data());
}

// The file's text, read for the command `run`; `more` are further options.
CommandLine read_text(const std::string& text, const std::vector<std::string>& more = {}) {
    const ConfigFile file(text);
    std::vector<std::string> tokens{"--config", file.path()};
    tokens.insert(tokens.end(), more.begin(), more.end());
    tokens.emplace_back("run");
    CommandLine line = read(tokens);
    for (ConfigMistake& mistake : line.mistakes)
        if (mistake.where.starts_with(file.path())) mistake.where.erase(0, file.path().size());
    return line;
}

// All mistakes as `WHERE KEY WHAT`, one a line.
std::string told(const CommandLine& line) {
    std::string text;
    for (const ConfigMistake& mistake : line.mistakes)
        text += fmt::format("{} {} {}\n", mistake.where, mistake.key, mistake.what);
    return text;
}

std::string file_text(const std::string& path) {
    std::ifstream file(std::string(PEP381D_SOURCE_DIR) + "/" + path);
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

const std::string minimal = "[mirror]\ndirectory = /srv/pypi\n";

}  // namespace

TEST_CASE("a file with a directory alone gives the defaults") {
    const CommandLine line = read_text(minimal);
    CHECK(told(line).empty());
    CHECK(line.command == "run");
    CHECK(line.config.mirror_directory == "/srv/pypi");
    CHECK(line.config.state_file == "/srv/pypi/state.db");
    CHECK(line.config.master_url == "https://pypi.org");
    CHECK(line.config.filter_projects == std::vector<std::string>{"*"});
}

TEST_CASE("the state may not lie where the mirror's own files do") {
    const std::string place = GENERATE("web/state.db", "web/packages/x/state.db",
                                       "staging/state.db", "web/../staging/state.db");
    const CommandLine line = read_text(minimal + "[state]\nfile = /srv/pypi/" + place + "\n");
    REQUIRE(line.mistakes.size() == 1);
    CHECK(line.mistakes[0].key == "state.file");
    CHECK(told(read_text(minimal + "[state]\nfile = /srv/pypi/webs/state.db\n")).empty());
}

TEST_CASE("every key can be set in the file") {
    const CommandLine line = read_text(R"(
# a comment
; another
[mirror]
directory = /srv/pypi/
min-free = 1GiB
min-free-inodes = 2.5%
[state]
file=/var/state.db
[master]
url = http://user:secret@127.0.0.1:8380/base/
poll-interval = 90s
reconcile-interval = 30d
max-requests = 1000
contact = admin@example.org
ca-file = /etc/ca.pem
proxy = socks5h://localhost:1080
ip-version = 6
timeout = 500ms
patience = 0
[files]
enabled = false
max-requests = 1
rate-limit = 20MiB
alternates = http://10.0.0.7:8381/ https://me:secret@mirror.example/pypi
core-metadata = no
[pages]
formats = json
root-interval = 1min
[filter]
projects = requests flask
projects = zope.*
block = Evil_Project
[deletes]
policy = keep
max-fraction = 1
grace = 24h
[listen]
address = [::1]:0
[log]
level = debug
)");
    CHECK(told(line).empty());
    const Config& config = line.config;
    CHECK(config.mirror_directory == "/srv/pypi");
    CHECK(config.mirror_min_free == Reserve{1 << 30, 0});
    CHECK(config.mirror_min_free_inodes == Reserve{0, 2.5});
    CHECK(config.state_file == "/var/state.db");
    CHECK(config.master_url == "http://user:secret@127.0.0.1:8380/base");
    CHECK(config.master_poll_interval == 90s);
    CHECK(config.master_reconcile_interval == 720h);
    CHECK(config.master_max_requests == 1000);
    CHECK(config.master_contact == "admin@example.org");
    CHECK(config.master_ca_file == "/etc/ca.pem");
    CHECK(config.master_proxy == "socks5h://localhost:1080");
    CHECK(config.master_ip_version == 6);
    CHECK(config.master_timeout == 500ms);
    CHECK(config.master_patience == 0s);
    CHECK_FALSE(config.files_enabled);
    CHECK(config.files_max_requests == 1);
    CHECK(config.files_rate_limit == 20 * 1024 * 1024);
    CHECK(
        config.files_alternates ==
        std::vector<std::string>{"http://10.0.0.7:8381", "https://me:secret@mirror.example/pypi"});
    CHECK_FALSE(config.files_core_metadata);
    CHECK_FALSE(config.pages_html);
    CHECK(config.pages_json);
    CHECK(config.pages_root_interval == 1min);
    CHECK(config.filter_projects == std::vector<std::string>{"requests", "flask", "zope.*"});
    CHECK(config.filter_block == std::vector<std::string>{"Evil_Project"});
    CHECK(config.deletes_keep);
    CHECK(config.deletes_max_fraction == 1.0);
    CHECK(config.deletes_grace == 24h);
    CHECK(config.listen_address == "[::1]:0");
    CHECK(config.log_level == "debug");
}

TEST_CASE("a value that the file cannot have is a mistake with line and key") {
    struct Row {
        std::string section, setting, key, words;
    };
    const auto row = GENERATE(values<Row>({
        {"mirror", "directory =", "mirror.directory", "write a directory"},
        {"mirror", "directory = /srv/pypi # mine", "mirror.directory", "a line of its own"},
        {"mirror", "min-free = 1GB", "mirror.min-free", "1GiB"},
        {"mirror", "min-free = 101%", "mirror.min-free", "0.1%"},
        {"mirror", "min-free = -1%", "mirror.min-free", "0.1%"},
        {"mirror", "min-free = %", "mirror.min-free", "0.1%"},
        {"mirror", "min-free-inodes = 1KiB", "mirror.min-free-inodes", "100000"},
        {"mirror", "min-free-inodes = -1", "mirror.min-free-inodes", "100000"},
        {"master", "url = ftp://pypi.org", "master.url", "https://"},
        {"master", "url = pypi.org", "master.url", "https://"},
        {"master", "url = https://", "master.url", "https://"},
        {"master", "url = https://pypi.org:99999", "master.url", "https://"},
        {"master", "url = https://pypi.org?x=1", "master.url", "without"},
        {"master", "url = https://pypi.org#x", "master.url", "without"},
        {"master", "url = https://pypi.org/simple/", "master.url", "without /simple"},
        {"master", "url = https://pypi.org/pypi", "master.url", "without /simple, /pypi"},
        {"master", "url = https://pypi.org # the master", "master.url", "a line of its own"},
        {"master", "poll-interval = 60", "master.poll-interval", "90s"},
        {"master", "poll-interval = 0s", "master.poll-interval", "above 0"},
        {"master", "timeout = -1s", "master.timeout", "a duration"},
        {"master", "max-requests = 0", "master.max-requests", "1 to 1000"},
        {"master", "max-requests = -3", "master.max-requests", "1 to 1000"},
        {"master", "max-requests = 1001", "master.max-requests", "1 to 1000"},
        {"master", "max-requests = ten", "master.max-requests", "1 to 1000"},
        {"master", "contact = a\tb", "master.contact", "a mail address"},
        {"files", "enabled = maybe", "files.enabled", "true or false"},
        {"files", "rate-limit = 20MB", "files.rate-limit", "20MiB"},
        {"files", "alternates = mirror.example", "files.alternates", "http://"},
        {"files", "alternates = https://mirror.example/packages", "files.alternates", "without"},
        {"files", "alternates = https://mirror.example/simple/", "files.alternates", "without"},
        {"master", "ip-version = 5", "master.ip-version", "any, 4 or 6"},
        {"pages", "formats = html xml", "pages.formats", "html, json, or both"},
        {"pages", "formats =", "pages.formats", "html, json, or both"},
        {"filter", "projects =", "filter.projects", "project names"},
        {"filter", "projects = ../etc", "filter.projects", "project names"},
        {"filter", "block = a,b", "filter.block", "project names"},
        {"deletes", "policy = never", "deletes.policy", "mirror or keep"},
        {"deletes", "max-fraction = 1.5", "deletes.max-fraction", "0 to 1"},
        {"deletes", "max-fraction = -0.1", "deletes.max-fraction", "0 to 1"},
        {"deletes", "max-fraction = nan", "deletes.max-fraction", "0 to 1"},
        {"deletes", "max-fraction = 5%", "deletes.max-fraction", "0 to 1"},
        {"listen", "address = 8381", "listen.address", "ADDRESS:PORT"},
        {"listen", "address = 127.0.0.1:70000", "listen.address", "ADDRESS:PORT"},
        {"listen", "address = ::1:8381", "listen.address", "ADDRESS:PORT"},
        {"listen", "address = :8381", "listen.address", "ADDRESS:PORT"},
        {"log", "level = loud", "log.level", "debug, info, warning or error"},
    }));
    const CommandLine line = read_text(fmt::format("[{}]\n{}\n", row.section, row.setting),
                                       {"--mirror.directory", "/srv/pypi"});
    INFO(row.setting << " gives " << told(line));
    REQUIRE(line.mistakes.size() == 1);
    CHECK(line.mistakes.front().where == ":2");
    CHECK(line.mistakes.front().key == row.key);
    CHECK_THAT(line.mistakes.front().what, ContainsSubstring(row.words));
}

TEST_CASE("all mistakes of a file are told at once, each with its line") {
    const CommandLine line = read_text(R"([mirror]
directory = /srv/pypi
[mastr]
url = https://nothing.is.told.of.this
[master]
ulr = https://pypi.org
timeout = 10s
just words
timeout = 20s
[files
[mirror]
direktory = /srv/other
)");
    CHECK(told(line) ==
          ":3 mastr unknown section (did you mean master?)\n"
          ":6 master.ulr unknown key (did you mean master.url?)\n"
          ":8 \"just words\" the line has no `=`: write KEY = VALUE, or # before a comment\n"
          ":9 master.timeout given twice, first in line 7: remove one\n"
          ":10 [files the section has no end: write [SECTION]\n"
          ":12 mirror.direktory unknown key (did you mean mirror.directory?)\n");
    CHECK(line.config.master_timeout == 10s);
}

TEST_CASE("a key that resembles none gets no suggestion") {
    CHECK(told(read_text(minimal + "[log]\nzzzzzzzzzzzz = 1\n")) ==
          ":4 log.zzzzzzzzzzzz unknown key\n");
    CHECK(suggest_config_key(std::string(100000, 'x')).empty());
}

TEST_CASE("a mistake shows no password and no control character") {
    const std::string what =
        told(read_text(minimal + "[master]\nurl = https://me:secret@pypi.org?\x1b[31m\n"));
    CHECK_THAT(what, !ContainsSubstring("secret"));
    CHECK_THAT(what, !ContainsSubstring("\x1b"));
    CHECK_THAT(what, ContainsSubstring("pypi.org"));
}

TEST_CASE("line ends of Windows, a byte order mark and a missing last line end do no harm") {
    const CommandLine line =
        read_text("\xef\xbb\xbf[mirror]\r\ndirectory = /srv/pypi\r\n[log]\r\nlevel=error");
    CHECK(told(line).empty());
    CHECK(line.config.mirror_directory == "/srv/pypi");
    CHECK(line.config.log_level == "error");
}

TEST_CASE("a section may come again, and a key may carry its section") {
    const CommandLine line = read_text(
        "log.level = debug\n[filter]\nblock = a\n[mirror]\ndirectory = /srv\n[filter]\nblock = b "
        "c\n");
    CHECK(told(line).empty());
    CHECK(line.config.log_level == "debug");
    CHECK(line.config.filter_block == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("a value may hold what begins a comment elsewhere") {
    const CommandLine line =
        read_text(minimal + "[master]\ncontact = https://example.org/#contact;x=1\n");
    CHECK(told(line).empty());
    CHECK(line.config.master_contact == "https://example.org/#contact;x=1");
}

TEST_CASE("the command line wins over the file") {
    const CommandLine line = read_text(
        minimal +
            "[filter]\nprojects = a b\n[log]\nlevel = error\n[listen]\naddress = 127.0.0.1:1\n",
        {"--log.level=debug", "--filter.projects", "c", "--filter.projects=d e",
         "--listen.address="});
    CHECK(told(line).empty());
    CHECK(line.config.log_level == "debug");
    CHECK(line.config.filter_projects == std::vector<std::string>{"c", "d", "e"});
    CHECK(line.config.listen_address.empty());
    CHECK(line.config.mirror_directory == "/srv/pypi");
}

TEST_CASE("every key is an option") {
    for (const ConfigKey& key : config_keys()) {
        INFO(key.name);
        const CommandLine line =
            read_text(minimal, {"--" + std::string(key.name), "?%", "--log.level", "info"});
        const bool any_text = key.name == "master.contact" || key.name == "mirror.directory" ||
                              key.name == "state.file" || key.name == "master.ca-file";
        const bool refused = line.mistakes.size() == 1 && line.mistakes.front().key == key.name &&
                             line.mistakes.front().where == "command line";
        CHECK((refused || any_text));
        CHECK((!any_text || key.print(line.config) == std::vector<std::string>{"?%"}));
    }
}

TEST_CASE("command, arguments and the command's own options are told apart") {
    const CommandLine line = read({"--config", "/dev/null", "--mirror.directory", "/srv", "status",
                                   "--json", "a", "--log.level", "debug", "b"});
    CHECK(told(line).empty());
    CHECK(line.command == "status");
    CHECK(line.arguments == std::vector<std::string>{"--json", "a", "b"});
    CHECK(line.config.log_level == "debug");
}

TEST_CASE("mistakes on the command line are told") {
    struct Row {
        std::vector<std::string> tokens;
        std::string key, words;
    };
    const auto row = GENERATE(values<Row>({
        {{"--mastr.url", "x", "run"}, "mastr.url", "did you mean master.url?"},
        {{"--mastr.url=x", "run"}, "mastr.url", "did you mean master.url?"},
        {{"--mast", "run"}, "mast", "unknown option"},
        {{"--master.u=http://x", "run"}, "master.u", "did you mean master.url?"},
        {{"run", "--mastr.url=x"}, "mastr.url", "did you mean master.url?"},
        {{"run", "--master.url"}, "master.url", "argument"},
        {{"--log.level", "loud", "run"}, "log.level", "debug, info"},
        {{"--help=me"}, "help", "argument"},
    }));
    std::vector<std::string> tokens{"--config", "/dev/null", "--mirror.directory", "/srv"};
    tokens.insert(tokens.end(), row.tokens.begin(), row.tokens.end());
    const CommandLine line = read(tokens);
    INFO(told(line));
    REQUIRE(line.mistakes.size() == 1);
    CHECK(line.mistakes.front().where == "command line");
    CHECK(line.mistakes.front().key == row.key);
    CHECK_THAT(line.mistakes.front().what, ContainsSubstring(row.words));
}

TEST_CASE("help and version need no configuration") {
    CHECK(read({"--help"}).help);
    CHECK(read({"-h"}).help);
    CHECK(read({"help"}).help);
    CHECK(read({"--config", "/nowhere", "--version"}).version);
    CHECK(read({"--config", "/nowhere", "--help"}).mistakes.empty());
    CHECK(read({"--config", "/dev/null"}).command.empty());
}

TEST_CASE("a missing directory, a missing file and a directory in place of a file are mistakes") {
    CHECK(told(read({"--config", "/dev/null", "run"})) ==
          "/dev/null mirror.directory missing: say where the mirror is to lie\n");
    CHECK(told(read({"--config", "/nowhere/x.conf", "--mirror.directory=/srv", "run"})) ==
          "/nowhere/x.conf --config cannot read this file: No such file or directory\n");
    CHECK(told(read({"--config", "/", "--mirror.directory=/srv", "run"})) ==
          "/ --config cannot read this file: Is a directory\n");
}

TEST_CASE("a printed configuration reads back to the same values") {
    Config config;
    config.mirror_directory = "/srv/my mirror";
    config.state_file = "/var/state.db";
    config.master_url = "http://127.0.0.1:8380";
    config.master_poll_interval = 1500ms;
    config.files_enabled = false;
    config.files_rate_limit = 12345;
    config.files_alternates = {"https://mirror.example", "http://10.0.0.7"};
    config.master_ip_version = 4;
    config.pages_html = false;
    config.filter_projects = {"a*", "b"};
    config.filter_block = {"c"};
    config.deletes_keep = true;
    config.deletes_max_fraction = 0.1;
    config.listen_address.clear();
    for (const Config& each :
         {config, read({"--config=/dev/null", "--mirror.directory=/srv", "run"}).config}) {
        const std::string printed = print_config(each);
        const CommandLine line = read_text(printed);
        CHECK(told(line).empty());
        CHECK(print_config(line.config) == printed);
        CHECK(line.config.master_poll_interval == each.master_poll_interval);
        CHECK(line.config.files_rate_limit == each.files_rate_limit);
        CHECK(line.config.files_alternates == each.files_alternates);
        CHECK(line.config.master_ip_version == each.master_ip_version);
        CHECK(line.config.filter_projects == each.filter_projects);
        CHECK(line.config.filter_block == each.filter_block);
        CHECK(line.config.deletes_max_fraction == each.deletes_max_fraction);
        CHECK(line.config.listen_address == each.listen_address);
    }
}

TEST_CASE("the help names every key with its default") {
    const std::string help = help_text();
    for (const ConfigKey& key : config_keys())
        CHECK_THAT(help, ContainsSubstring(fmt::format("\n  --{} {}", key.name, key.form)));
    CHECK_THAT(help, ContainsSubstring("--master.max-requests COUNT  [10]\n"));
    CHECK_THAT(help, ContainsSubstring("--filter.projects NAME...  [*]\n"));
}

TEST_CASE("config/pep381d.conf carries every key with its default") {
    // Its lines `#KEY = VALUE`, without a blank behind the #, are settings; `# ` begins a comment.
    std::istringstream sample(file_text("config/pep381d.conf"));
    std::string settings;
    for (std::string line; std::getline(sample, line);) {
        if (line.starts_with('#') && line.size() > 1 && line[1] != ' ') line.erase(0, 1);
        if (!line.empty() && !line.starts_with('#')) settings += line + '\n';
    }
    std::istringstream printed(print_config(
        read({"--config=/dev/null", "--mirror.directory=/var/lib/pep381d", "run"}).config));
    std::string expected;
    for (std::string line; std::getline(printed, line);)
        if (!line.empty()) expected += line + '\n';
    CHECK(settings == expected);
    CHECK(told(read_text(file_text("config/pep381d.conf"))).empty());
}

TEST_CASE("docs/configuration.md carries every key with its default and meaning") {
    std::string expected;
    for (const ConfigKey& key : config_keys()) {
        std::string standard = fmt::format("{}", fmt::join(key.print(Config{}), " "));
        if (key.name == "state.file") standard = "DIRECTORY/state.db";
        if (!standard.empty()) standard = '`' + standard + '`';
        if (key.name == "mirror.directory") standard = "(required)";
        expected += fmt::format("| `{}` | {} | {} |\n", key.name, standard, key.meaning);
    }
    std::istringstream document(file_text("docs/configuration.md"));
    std::string rows;
    for (std::string line; std::getline(document, line);)
        if (line.starts_with("| `")) rows += line + '\n';
    CHECK(rows == expected);
}
