// Zip and tar.gz archives, written without compression: quick, and the same bytes whatever the
// zlib. Pure functions of their members.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sample {

struct Member {
    std::string name;
    std::string bytes;
};

// Members are dated 1980-01-01, the first day that zip knows.
std::string zip(const std::vector<Member>& members);
// ustar in gzip; `time` is in Unix seconds, and from 1980 on for the sake of what is zipped from it
// later.
std::string tar_gz(const std::vector<Member>& members, std::int64_t time);

// Real compression, for HTTP answers.
std::string gzip(std::string_view bytes);

}  // namespace sample
