// The log: one fact a line, `event key=value ...`. Behind an interface because tests read it. Any
// thread may call it.
//
// info: something changed. warning: an operator may have to act. debug: what a peer can repeat at
// will. No line holds a password; text from outside goes through quoted().
#pragma once

#include <string>
#include <string_view>

namespace pep381d {

class Log {
  public:
    enum class Level { debug, info, warning, error };

    virtual ~Log() = default;
    virtual void write(Level level, std::string_view line) = 0;

    void debug(std::string_view line) { write(Level::debug, line); }
    void info(std::string_view line) { write(Level::info, line); }
    void warning(std::string_view line) { write(Level::warning, line); }
    void error(std::string_view line) { write(Level::error, line); }
};

// Writes to stderr, with the time in front unless journald adds its own.
class StderrLog final : public Log {
  public:
    explicit StderrLog(Level least) : least_(least) {}
    void write(Level level, std::string_view line) override;

  private:
    Level least_;
};

// The text as one word of a log line: in double quotes where it holds blanks, control characters
// escaped, cut at 300 bytes.
std::string quoted(std::string_view text);

// The URL without user name and password, for people to read.
std::string display_url(std::string_view url);

}  // namespace pep381d
