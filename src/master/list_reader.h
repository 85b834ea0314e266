// One form of a list of names; name_list.cpp chooses among them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pep381d/master/name_list.h"

namespace pep381d {

class NameList::Reader {
  public:
    Reader() = default;
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    virtual ~Reader() = default;
    virtual Done feed(std::string_view piece) = 0;
    virtual Outcome<Serial> finish() = 0;
};

std::unique_ptr<NameList::Reader> root_json_reader(NameList::Entry entry);
std::unique_ptr<NameList::Reader> root_html_reader(const std::string& url, NameList::Entry entry);

}  // namespace pep381d
