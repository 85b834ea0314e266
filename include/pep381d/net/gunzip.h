// Decodes a gzip body piece by piece. Ours and not curl's, because curl 7.88 takes the first half
// of a gzip for a whole one: a page that was cut on its way would be a shorter page.
#pragma once

#include <memory>
#include <string_view>

#include "pep381d/base/outcome.h"

namespace pep381d {

class Gunzip {
  public:
    Gunzip();
    ~Gunzip();

    // For the next body.
    void restart();
    // Input; it must live until take() gave its last piece.
    void give(std::string_view packed);
    // The next decoded piece, valid until the next call; empty: give more. Fails where the input is
    // no gzip.
    Outcome<std::string_view> take();
    // All that was given decodes, to its last checksum.
    bool complete() const;

  private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

}  // namespace pep381d
