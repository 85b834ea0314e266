// The XML-RPC dialect of PyPI: requests out, answers in. No I/O. Answers are read as a stream in
// constant memory, because the list of all projects has 72 MB.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/outcome.h"
#include "pep381d/model/event.h"
#include "pep381d/model/serial.h"

namespace pep381d {

std::string request_last_serial();            // changelog_last_serial()
std::string request_changelog(Serial since);  // changelog_since_serial(since)
std::string request_list();                   // list_packages_with_serial()
// Of before 2013 (protocol.h, pep381):
std::string request_changelog_since(std::int64_t time);  // changelog(since), Unix seconds
std::string request_names();                             // list_packages()

// The journal never answers with more rows than this at once: as many mean that there are more.
constexpr std::size_t changelog_page_rows = 50'000;

// Each reader is fed the body piece by piece and asked for its result at the end. Failures:
//   retry_later  a fault of the server, with `wait` where it is a rate limit ("Limit may reset in N
//                seconds")
//   refused      a fault that stays: no such method, wrong arguments (also from servers of before
//                2013, which number all faults 1)
//   corrupt      not XML-RPC (HTML, JSON, nothing), cut off, or not of the promised shape
class SerialReader {
  public:
    SerialReader();
    ~SerialReader();
    Done feed(std::string_view piece);
    Outcome<Serial> finish();  // an empty journal (nil) is serial 0

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

class ChangelogReader {
  public:
    // `by_time`: the answer to changelog(since). Its rows have times in place of serials, perhaps
    // both; then their serials are not taken, and their marks are set.
    explicit ChangelogReader(bool by_time = false);
    ~ChangelogReader();
    Done feed(std::string_view piece);
    // In the master's order. Rows with a serial below 1 or with a shape of their own are an error
    // of the whole answer; names are not checked here. `action` has its `&#233;` (double escaping,
    // protocol B.2) left as they are.
    Outcome<std::vector<Event>> finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Of list_packages().
class NamesReader {
  public:
    using Entry = std::function<void(std::string_view name)>;
    explicit NamesReader(Entry entry);
    ~NamesReader();
    Done feed(std::string_view piece);
    Done finish();  // as ListReader's

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

class ListReader {
  public:
    using Entry = std::function<void(std::string_view name, Serial serial)>;
    explicit ListReader(Entry entry);
    ~ListReader();
    Done feed(std::string_view piece);
    // Entries are handed out as they come; they count only when finish() succeeds.
    Done finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pep381d
