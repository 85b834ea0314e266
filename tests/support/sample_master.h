// A small PyPI for tests: the same answers in the same form, from data made of a seed. It shares no
// code with the product, so that it is a witness of its own. Index pages and XML-RPC are on one
// listener, files on another. Thread-safe. Stops when destroyed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sample {

// Which of the three protocols a mirror finds.
enum class Era {
    warehouse,  // PyPI today
    pep381,     // PyPI before 2013: a journal by time, HTML under display names, md5, last-modified
    simple,     // pages and last-modified alone, without serials (PEP 503, 691)
};

struct Options {
    std::string address = "127.0.0.1:0";  // port 0: any free one
    std::string files_address = "127.0.0.1:0";
    int projects = 60;
    int files = 300;  // about
    std::uint64_t seed = 1;
    Era era = Era::warehouse;
};

// `action` is new-project, create (a project without files), new-release, yank, unyank,
// remove-file, remove-release, remove-project, quarantine, clear-quarantine, quarantine-release,
// clear-release-quarantine, archive, unarchive or role. What is left empty is chosen, the same each
// time.
struct EventRequest {
    std::string action;
    std::string project;
    std::string version;
    std::string file;
    std::string reason;
};

struct Event {
    std::int64_t serial = 0;           // of the index, after the event
    std::string project;               // normalized
    std::vector<std::string> touched;  // paths of the files that are new or whose entries changed
};

// An answer that goes wrong. `match` is the start of the request's target, exact with a $ at its
// end, or `method:NAME` of an XML-RPC call; the file listener's targets count too.
struct Fault {
    std::string match;
    // status (value: code), delay (ms), hang, cut (bytes before), wrong-bytes, stale (as before the
    // latest event), body (text), redirect (location), drip (ms for each byte), reset,
    // endless (the right body again and again)
    std::string kind;
    std::string value;
    int times = 1;  // -1: for ever
    std::string retry_after;
};

// A fixed answer in place of what is at a path.
struct RawAnswer {
    int status = 200;
    std::string type = "text/plain";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

struct Requests {
    std::int64_t total = 0;
    std::int64_t bytes = 0;                      // of bodies
    std::map<std::string, std::int64_t> counts;  // "GET /simple/foo/", "POST changelog_last_serial"
};

class SampleMaster {
  public:
    // Throws std::runtime_error where it cannot listen.
    explicit SampleMaster(const Options& options = {});
    ~SampleMaster();
    SampleMaster(const SampleMaster&) = delete;
    SampleMaster& operator=(const SampleMaster&) = delete;

    std::string url() const;  // http://127.0.0.1:PORT, without a slash at the end
    std::string files_url() const;

    std::int64_t serial() const;
    std::vector<std::string> projects() const;  // normalized names of the root index, sorted
    std::string page(const std::string& project) const;  // its JSON page; empty: 404
    std::string file(const std::string& path) const;     // a file's bytes by its path; empty: 404

    // Both throw std::invalid_argument for what cannot happen.
    Event event(const EventRequest& request);
    std::vector<std::string> random_events(int count, std::uint64_t seed);

    void fault(const Fault& fault);
    void clear_faults();
    // `target` is a path on either listener.
    void raw(const std::string& target, RawAnswer answer);
    void clear_raw();
    // Adds `file_json`, as it is, to the files of the project's JSON page; a journal row tells of
    // it.
    Event extra(const std::string& project, const std::string& file_json);

    // The key that pages are signed with, in the pep381 era. `rotate`: another one, and a row of
    // the journal; `change`: without one; `end`: pages are not signed any more. Throws
    // std::invalid_argument for others.
    void key(const std::string& action);

    Requests requests() const;
    void reset_requests();

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace sample
