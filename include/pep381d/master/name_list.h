// A master's full list of names, in whichever form it comes, read as a stream in constant memory:
// PyPI's has 72 MB. No I/O.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"
#include "pep381d/model/serial.h"

namespace pep381d {

enum class ListForm {
    serials,    // the answer to list_packages_with_serial
    names,      // the answer to list_packages
    root_json,  // the root index (PEP 691), with serials as PyPI and we write them, or without
    root_html,  // the root index (PEP 503)
};

class NameList {
  public:
    // `name`: as the project writes itself, perhaps not legal. `serial`: 0 where it has none.
    using Entry = std::function<void(std::string_view name, Serial serial)>;

    // `url`: that of the root index: of its links those count that lead just below it.
    NameList(ListForm form, const std::string& url, Entry entry);
    ~NameList();
    // Entries are handed out as they come; they count only when finish() succeeds. What `entry`
    // throws comes out of feed() or finish(). Failures: Fault::corrupt on what is not such a list,
    // or was cut off; for XML-RPC also those of xmlrpc.h.
    Done feed(std::string_view piece);
    // The serial of the list as a whole; 0: it names none.
    Outcome<Serial> finish();

    class Reader;

  private:
    std::unique_ptr<Reader> reader_;
};

}  // namespace pep381d
